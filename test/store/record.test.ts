import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { appsScopes, ownerships, platforms } from "../../src/policy/device.ts";
import type { DeviceRecord } from "../../src/policy/device.ts";
import { FIELD_LIMIT_BYTES, TEXT_LIMIT } from "../../src/store/field-values.ts";
import { WHY_LIMIT } from "../../src/store/record-values.ts";
import {
  APPS_LIMIT,
  checkFields,
  encodeFields,
  FUTURE_LIMIT_MS,
  GROUPS_LIMIT,
  parseRecord,
  REASONS_LIMIT,
  recordFields,
  UNKNOWN_FIELDS_LIMIT,
  unreadableRecord,
} from "../../src/store/record.ts";
import type { KnownFacts, RecordField } from "../../src/store/record.ts";
import { deviceId } from "../support/records.ts";

const phone = deviceId("ABC123");
const now = new Date("2026-11-20T12:00:00Z");

function read(values: Readonly<Record<string, string>>): DeviceRecord {
  return parseRecord(phone, new Map(Object.entries(values)), now).record;
}

const app = (id: string): { id: string; name: undefined; version: undefined } => ({
  id,
  name: undefined,
  version: undefined,
});
const at = (text: string): Date => new Date(text);
const override = { why: undefined, who: undefined, until: undefined };

const readable: readonly (readonly [RecordField, string, unknown])[] = [
  ["owner", " alice ", "alice"],
  ["owner", "CORP\\Alice", "CORP\\Alice"],
  ["owner", "alice@corp.example", "alice@corp.example"],
  ["email", "alice@corp.example", "alice@corp.example"],
  ["groups", "sales, emea", ["sales", "emea"]],
  ["groups", "sales emea\nhr", ["sales", "emea", "hr"]],
  ["groups", "CORP\\sales", ["CORP\\sales"]],
  ["groups", '["Sales, EMEA", "HR"]', ["Sales, EMEA", "HR"]],
  ["groups", " [] ", []],
  ["region", "US", "US"],
  ["timezone", "Europe/Berlin", "Europe/Berlin"],
  ["timezone", "US/Eastern", "US/Eastern"],
  ["timezone", "UTC", "UTC"],
  ["locale", "de-DE", "de-DE"],
  ["locale", "de_de", "de-DE"],
  ["locale", "zh-hant-tw", "zh-Hant-TW"],
  ["platform", "iOS", "ios"],
  ["platform", "Android", "android"],
  ["platform", " iPadOS ", "ipados"],
  ["osVersion", "18.1.1", "18.1.1"],
  ["model", "iPhone 15 Pro", "iPhone 15 Pro"],
  ["ownership", "Corporate", "corporate"],
  ["appsScope", "managed_only", "managed-only"],
  ["appsScope", "Work Profile", "work-profile"],
  ["apps", "com.zhiliaoapp.musically", [app("com.zhiliaoapp.musically")]],
  ["apps", "com.a,com.b  com.c", [app("com.a"), app("com.b"), app("com.c")]],
  ["apps", '["com.a"]', [app("com.a")]],
  ["apps", "[]", []],
  ["apps", '[{"id":"com.a","name":"A","version":"1.2"}]', [{ id: "com.a", name: "A", version: "1.2" }]],
  [
    "apps",
    '["com.a",{"id":"com.b","name":null,"version":12,"size":3}]',
    [app("com.a"), { ...app("com.b"), version: "12" }],
  ],
  ["apps", `[{"id":"com.a","name":"${"n".repeat(TEXT_LIMIT + 1)}"}]`, [app("com.a")]],
  ["apps", '[{"id":"com.a","name":"two\\nlines"}]', [app("com.a")]],
  ["apps", '[{"__proto__":{"id":"x"},"id":"com.a"}]', [app("com.a")]],
  ["appsAsked", "com.a com.b", ["com.a", "com.b"]],
  ["appsAt", "2026-11-20T12:00:00Z", at("2026-11-20T12:00:00Z")],
  ["appsAt", "2026-11-20T12:00:00.123456Z", at("2026-11-20T12:00:00.123Z")],
  ["appsAt", "2026-11-20T12:00:00.123Z", at("2026-11-20T12:00:00.123Z")],
  ["appsAt", "2024-02-29T23:59:59.999Z", at("2024-02-29T23:59:59.999Z")],
  ["appsAt", "2026-11-20T12:00", at("2026-11-20T12:00:00Z")],
  ["appsAt", "2026-11-20 12:00:00", at("2026-11-20T12:00:00Z")],
  ["appsAt", "2026-11-20 12:00:00 +02:00", at("2026-11-20T10:00:00Z")],
  ["appsAt", "2026-11-20T08:00:00-0330", at("2026-11-20T11:30:00Z")],
  ["appsAt", "2026-11-20t12:00:00z", at("2026-11-20T12:00:00Z")],
  ["appsAt", "2026-11-20T12:00:00+01", at("2026-11-20T11:00:00Z")],
  ["appsAt", "2026-11-20", at("2026-11-20T00:00:00Z")],
  ["appsAt", "1760000000", at("2025-10-09T08:53:20Z")],
  ["appsAt", "1760000000123", at("2025-10-09T08:53:20.123Z")],
  ["appsAt", "0001-01-01T00:00:00Z", at("0001-01-01T00:00:00Z")],
  ["appsAt", "2024-02-29", at("2024-02-29T00:00:00Z")],
  ["deviceAt", new Date(now.getTime() + FUTURE_LIMIT_MS).toISOString(), new Date(now.getTime() + FUTURE_LIMIT_MS)],
  ["source", "intune", "intune"],
  ["sourceDeviceId", "5f0c1b8e-0000", "5f0c1b8e-0000"],
  ["compliance", "compliant", "compliant"],
  ["compliance", "noncompliant", "noncompliant"],
  ["compliance", "Non-Compliant", "noncompliant"],
  ["compliance", "non compliant", "noncompliant"],
  ["compliance", "nonCompliant", "noncompliant"],
  ["reasons", "com.zhiliaoapp.musically", ["com.zhiliaoapp.musically"]],
  ["reasons", '["OS too old"]', ["OS too old"]],
  ["override", "allow", { action: "allow", ...override }],
  ["override", " BLOCK ", { action: "block", ...override }],
  ["override", '{"action":"Allow","until":null}', { action: "allow", ...override }],
  [
    "override",
    '{"action":"block","why":"lost","who":"bob","until":"2026-12-01"}',
    { action: "block", why: "lost", who: "bob", until: at("2026-12-01T00:00:00Z") },
  ],
];

const unreadable: readonly (readonly [RecordField, string])[] = [
  ...recordFields.flatMap((field) => [[field, ""] as const, [field, " \t\n "] as const, [field, "a\0b"] as const]),
  ...recordFields.map((field) => [field, "\uFFFD"] as const),
  ["owner", "a@b@c"],
  ["owner", "Alice Smith <alice@corp.example>"],
  ["owner", "ａｌｉｃｅ"],
  ["email", "alice"],
  ["groups", "sales;hr"],
  ["groups", '["sales"'],
  ["groups", '"sales"'],
  ["groups", '{"sales":true}'],
  ["groups", '["sales", 7]'],
  ["groups", '["sales", ""]'],
  ["groups", ","],
  ["timezone", "Berlin"],
  ["locale", "not a locale"],
  ["platform", "blackberry"],
  ["ownership", "mine"],
  ["appsScope", "most"],
  ["apps", "com.a;com.b"],
  ["apps", "['com.a']"],
  ["apps", "[com.a]"],
  ["apps", '[{"name":"TikTok"}]'],
  ["apps", '[{"id":7}]'],
  ["apps", '[{"id":"com.a","name":{}}]'],
  ["apps", '[["com.a"]]'],
  ["apps", "[null]"],
  ["apps", '{"id":"com.a"}'],
  ["apps", 'null"'],
  ["appsAsked", '[{"id":"com.a"}]'],
  ["appsAt", "yesterday"],
  ["appsAt", "2026-02-30"],
  ["appsAt", "2025-02-29"],
  ["appsAt", "2026-11-20T24:00:00Z"],
  ["appsAt", "2026-11-20T24:00:00.000Z"],
  ["appsAt", "2026-02-30T12:00:00.000Z"],
  ["appsAt", "2025-02-29T12:00:00Z"],
  ["appsAt", "2026-04-31T12:00:00.000Z"],
  ["appsAt", "2026-13-01T12:00:00.000Z"],
  ["appsAt", "2026-00-10T12:00:00.000Z"],
  ["appsAt", "2026-11-00T12:00:00.000Z"],
  ["appsAt", "2026-11-20T12:00:60.000Z"],
  ["appsAt", "2026-11-20T12:60:00Z"],
  ["appsAt", "2026-13-01"],
  ["appsAt", "2026-11-20T12:00:00+99:00"],
  ["appsAt", "2026-11-20T12:00:00Z extra"],
  ["appsAt", "20/11/2026"],
  ["appsAt", "0"],
  ["appsAt", "17600000001"],
  ["appsAt", "-1760000000"],
  ["appsAt", "1.76e9"],
  ["appsAt", new Date(now.getTime() + FUTURE_LIMIT_MS + 1).toISOString()],
  ["deviceAt", new Date(now.getTime() + FUTURE_LIMIT_MS + 1).toISOString()],
  ["deviceAt", "9999-12-31"],
  ["compliance", "maybe"],
  ["compliance", "true"],
  ["compliance", "not compliant"],
  ["compliance", "incompliant"],
  ["override", "yes"],
  ["override", "{}"],
  ["override", "[]"],
  ["override", '"allow"'],
  ["override", '{"action":"allow"'],
  ["override", '{"action":"allow","untill":"2026-12-01"}'],
  ["override", '{"action":"allow","until":"soon"}'],
  ["override", '{"action":"allow","until":1760000000}'],
  ["override", '{"action":"allow","why":["x"]}'],
  ["override", '{"action":true}'],
  ["override", '{"action":"allow","__proto__":{"until":"x"}}'],
];

suite("what a script wrote", () => {
  for (const [field, text, value] of readable) {
    test(`${field} ${JSON.stringify(text).slice(0, 80)} is read`, () => {
      const record = read({ [field]: text });
      assert.deepEqual(record.faults, []);
      assert.deepEqual(record[field], value);
    });
  }

  for (const [field, text] of unreadable) {
    test(`${field} ${JSON.stringify(text).slice(0, 80)} is a fault, and the field is unknown`, () => {
      const record = read({ [field]: text });
      assert.deepEqual(
        record.faults.map((fault) => fault.field),
        [field],
      );
      assert.deepEqual(record[field], parseRecord(phone, new Map(), now).record[field]);
    });
  }
});

suite("limits, at the cap and one past it", () => {
  const list = (count: number): string => JSON.stringify(Array.from({ length: count }, (_, index) => `a${index}`));
  const padded = (bytes: number): string => "com.a" + " ".repeat(bytes - 5);
  const cases: readonly (readonly [RecordField, string, string])[] = [
    ["apps", list(APPS_LIMIT), list(APPS_LIMIT + 1)],
    ["appsAsked", list(APPS_LIMIT), list(APPS_LIMIT + 1)],
    ["groups", list(GROUPS_LIMIT), list(GROUPS_LIMIT + 1)],
    ["reasons", list(REASONS_LIMIT), list(REASONS_LIMIT + 1)],
    ["region", "r".repeat(TEXT_LIMIT), "r".repeat(TEXT_LIMIT + 1)],
    ["groups", JSON.stringify(["g".repeat(TEXT_LIMIT)]), JSON.stringify(["g".repeat(TEXT_LIMIT + 1)])],
    [
      "override",
      `{"action":"allow","why":"${"w".repeat(WHY_LIMIT)}"}`,
      `{"action":"allow","why":"${"w".repeat(WHY_LIMIT + 1)}"}`,
    ],
    ["apps", padded(FIELD_LIMIT_BYTES), padded(FIELD_LIMIT_BYTES + 1)],
    // Bytes count, not characters: each of these takes three.
    [
      "apps",
      "com.a" + "\u2003".repeat((FIELD_LIMIT_BYTES - 5) / 3),
      "com.a" + "\u2003".repeat((FIELD_LIMIT_BYTES - 5) / 3 + 1),
    ],
  ];
  for (const [field, fits, tooMuch] of cases) {
    test(`${field} of ${fits.length} and of ${tooMuch.length} characters`, () => {
      assert.deepEqual(read({ [field]: fits }).faults, []);
      assert.deepEqual(
        read({ [field]: tooMuch }).faults.map((fault) => fault.field),
        [field],
      );
    });
  }
});

suite("names of fields", () => {
  test("names that are not ours are ignored and listed, as many as somebody reads", () => {
    const names = Array.from({ length: UNKNOWN_FIELDS_LIMIT + 1 }, (_, index) => `note${index}`);
    const fields = new Map(["complaince", "__proto__", ...names].map((name) => [name, "x"]));
    const { record, unknownFields } = parseRecord(phone, fields, now);
    assert.deepEqual(record.faults, []);
    assert.deepEqual(unknownFields.slice(0, 3), ["complaince", "__proto__", "note0"]);
    assert.equal(unknownFields.length, UNKNOWN_FIELDS_LIMIT);
  });

  test("a name that differs in case only makes the field unknown, since its writer believes that it counts", () => {
    const { record, unknownFields } = parseRecord(phone, new Map([["Compliance", "noncompliant"]]), now);
    assert.deepEqual(
      record.faults.map(({ field }) => field),
      ["compliance"],
    );
    assert.deepEqual(unknownFields, ["Compliance"]);
  });

  test("device set hears of every misspelt name and every value that cannot be read", () => {
    const fields = new Map([
      ["complaince", "noncompliant"],
      ["Apps", "com.a"],
      ["appsAt", "soon"],
      ["owner", "alice"],
    ]);
    assert.deepEqual(
      checkFields(fields, now).map(({ field }) => field),
      ["complaince", "apps", "appsAt"],
    );
  });

  test("a key that is no hash makes every field unknown", () => {
    assert.deepEqual(
      unreadableRecord(phone, "not a hash").faults.map(({ field }) => field),
      [...recordFields],
    );
  });
});

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string(),
  fc.json(),
  fc.constantFrom("[", "{", '{"action":', "a,b"),
);
const runs = { numRuns: 10_000 };

suite("whatever stands in a hash", () => {
  test("reading it never throws, and every field is either read or a fault", () => {
    const anyHash = fc.dictionary(fc.oneof(fc.constantFrom<string>(...recordFields), fc.string()), anyText);
    fc.assert(
      fc.property(anyHash, (hash) => {
        const fields = new Map(Object.entries(hash));
        const { record, unknownFields } = parseRecord(phone, fields, now);
        const faulty = new Set(record.faults.map(({ field }) => field));
        const nothing = parseRecord(phone, new Map(), now).record;
        for (const field of recordFields) {
          if (faulty.has(field)) assert.deepEqual(record[field], nothing[field]);
          // Groups, reasons and asked apps may be empty lists, and ownership may say that it is unknown.
          else if (fields.has(field)) assert.notEqual(record[field], undefined);
          else assert.deepEqual(record[field], nothing[field]);
        }
        for (const name of unknownFields) assert.ok(name.length <= 64);
        for (const { problem } of record.faults) assert.ok(problem.length < 400);
        checkFields(fields, now);
      }),
      runs,
    );
  });

  const closedWords: ReadonlyMap<RecordField, (plain: string) => boolean> = new Map([
    ["platform", (plain: string) => platforms.some((word) => word === plain)],
    ["ownership", (plain: string) => ownerships.some((word) => word === plain)],
    ["appsScope", (plain: string) => appsScopes.some((word) => word === plain)],
    ["compliance", (plain: string) => ["compliant", "noncompliant"].includes(plain.replaceAll("-", ""))],
  ]);
  for (const [field, isWord] of closedWords) {
    test(`a ${field} that is none of its words is always a fault`, () => {
      fc.assert(
        fc.property(anyText, (text) => {
          fc.pre(!isWord(text.trim().toLowerCase().replaceAll(/[_ ]/g, "-")));
          assert.deepEqual(
            read({ [field]: text }).faults.map((fault) => fault.field),
            [field],
          );
        }),
        runs,
      );
    });
  }

  test("a list of apps of which one element cannot be read is always a fault", () => {
    const noApp = fc.oneof(
      fc.integer(),
      fc.constant(null),
      fc.boolean(),
      fc.constant(""),
      fc.array(fc.string()),
      fc.constant({}),
    );
    const apps = fc.array(fc.constantFrom("com.a", "com.b"), { maxLength: 5 });
    fc.assert(
      fc.property(apps, noApp, apps, (before, broken, after) => {
        const record = read({ apps: JSON.stringify([...before, broken, ...after]) });
        assert.equal(record.apps, undefined);
        assert.deepEqual(
          record.faults.map(({ field }) => field),
          ["apps"],
        );
      }),
      runs,
    );
  });

  test("a list that was cut off anywhere is always a fault, or the words that are left of it", () => {
    const whole = '[{"id":"com.zhiliaoapp.musically","name":"TikTok"},"com.b"]';
    for (let length = 0; length < whole.length; length++) {
      assert.deepEqual(
        read({ apps: whole.slice(0, length) }).faults.map(({ field }) => field),
        ["apps"],
        `cut at ${length}`,
      );
    }
  });

  test("what we write ourselves is read back as it was", () => {
    const text = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,40}[A-Za-z0-9]$/);
    const time = fc.date({ min: new Date(0), max: now, noInvalidDate: true });
    const maybe = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(values, { nil: undefined });
    const facts: fc.Arbitrary<KnownFacts> = fc.record(
      {
        owner: fc.constantFrom("alice", "CORP\\bob", "carol@corp.example"),
        email: fc.constant("carol@corp.example"),
        groups: fc.array(text),
        region: text,
        timezone: fc.constantFrom("Europe/Berlin", "Asia/Kolkata"),
        locale: fc.constantFrom("de-DE", "ja"),
        platform: fc.constantFrom(...platforms),
        osVersion: text,
        model: text,
        ownership: fc.constantFrom(...ownerships),
        appsScope: fc.constantFrom(...appsScopes),
        apps: fc.array(fc.record({ id: text, name: maybe(text), version: maybe(text) }, { noNullPrototype: true })),
        appsAsked: fc.array(text),
        appsAt: time,
        deviceAt: time,
        enrolled: fc.boolean(),
        contested: fc.boolean(),
        source: text,
        sourceDeviceId: text,
        compliance: fc.constantFrom("compliant" as const, "noncompliant" as const),
        complianceUntil: fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true }),
        reasons: fc.array(text),
        override: fc.record(
          {
            action: fc.constantFrom("allow" as const, "block" as const),
            why: maybe(text),
            who: maybe(text),
            until: maybe(time),
          },
          { noNullPrototype: true },
        ),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(facts, (known) => {
        const { set, remove } = encodeFields(known);
        assert.deepEqual(remove, []);
        const { record } = parseRecord(phone, set, now);
        assert.deepEqual(record.faults, []);
        for (const field of recordFields)
          if (Object.hasOwn(known, field)) assert.deepEqual(record[field], known[field], field);
      }),
      runs,
    );
  });

  test("what a source does not know any more is removed, and what it never speaks of stays", () => {
    assert.deepEqual(encodeFields({ owner: "alice", region: undefined, model: "" }), {
      set: new Map([["owner", "alice"]]),
      remove: ["region", "model"],
    });
  });
});
