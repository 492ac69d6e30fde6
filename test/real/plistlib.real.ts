/**
 * The reader and the writer of property lists held against Python's plistlib (Debian: python3), which stands on expat and shares no line
 * of code with them: whatever is read here, it reads too, and as the same; and each reads what the other has written.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { before, suite, test } from "node:test";
import * as fc from "fast-check";
import { readPlist, UnreadablePlist } from "../../src/plist/read-plist.ts";
import { isArray, plistDoctype } from "../../src/plist/value.ts";
import type { PlistValue } from "../../src/plist/value.ts";
import { writePlist } from "../../src/plist/write-plist.ts";
import { requirePackage } from "../support/debian.ts";
import { plistValue } from "../support/plist-values.ts";

/** The same documents each time; another number looks elsewhere. */
const seed = Number(process.env["PLISTLIB_SEED"] ?? 20_261_128);
const DOCUMENTS = 4000;

/** Each line is a list in base64; each line of the answer what was read, and the same list as Python writes it. */
const program = `
import base64, datetime, json, plistlib, sys
def tagged(v):
    if isinstance(v, bool): return ["bool", v]
    if isinstance(v, str): return ["text", v]
    if isinstance(v, int): return ["integer", str(v)]
    if isinstance(v, float): return ["real", v.hex()]
    if isinstance(v, bytes): return ["data", v.hex()]
    if isinstance(v, datetime.datetime): return ["date", v.strftime("%d %m ") + str(v.year) + v.strftime(" %H:%M:%S")]
    if isinstance(v, list): return ["array", [tagged(e) for e in v]]
    return ["dict", [[k, tagged(e)] for k, e in v.items()]]
for line in sys.stdin:
    try:
        v = plistlib.loads(base64.b64decode(line), fmt=plistlib.FMT_XML)
        print(json.dumps([tagged(v), base64.b64encode(plistlib.dumps(v, sort_keys=False)).decode()]))
    except Exception as e:
        print(json.dumps([["refused", str(e)], ""]))
`;

function tagged(value: PlistValue): unknown {
  if (typeof value === "boolean") return ["bool", value];
  if (typeof value === "string") return ["text", value];
  if (typeof value === "bigint") return ["integer", String(value)];
  if (typeof value === "number") return ["real", value];
  if (value instanceof Date) {
    const [, year = "", month, day, time] = /^(\d+)-(\d+)-(\d+)T(.{8})/.exec(value.toISOString()) ?? [];
    return ["date", `${day} ${month} ${Number(year)} ${time}`];
  }
  if (value instanceof Uint8Array) return ["data", Buffer.from(value).toString("hex")];
  if (isArray(value)) return ["array", value.map(tagged)];
  return ["dict", [...value].map(([key, each]) => [key, tagged(each)])];
}

function withLineEnds(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll(/\r\n?/g, "\n");
  return Array.isArray(value) ? value.map(withLineEnds) : value;
}

/** Python writes a real as the hexadecimal digits of its bits. */
function withReals(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  if (value.length === 2 && value[0] === "real" && typeof value[1] === "string") return ["real", fromHex(value[1])];
  return value.map(withReals);
}

function fromHex(text: string): number {
  const [, sign, whole = "0", fraction = "", exponent = "0"] =
    /^(-?)0x([01])(?:\.([0-9a-f]+))?p([+-]\d+)$/.exec(text) ?? [];
  const bits = Number.parseInt(whole + fraction, 16);
  // In two steps: the smallest numbers are smaller than a power of two can be.
  const scaled = bits * 2 ** (-4 * fraction.length) * 2 ** Math.max(Number(exponent), -1000);
  return (sign === "-" ? -1 : 1) * scaled * 2 ** Math.min(0, Number(exponent) + 1000);
}

const pieces = fc.constantFrom(
  ..."<dict>|</dict>|<dict/>|<array>|</array>|<array/>|<key>a</key>|<key>b</key>|<key/>|<string>|</string>|<string/>|<true/>|<false/>|<true>|</true>".split(
    "|",
  ),
  ..."<integer>12</integer>|<integer>-0</integer>|<integer>+7</integer>|<integer>0x1F</integer>|<integer> 1</integer>|<real>1.50</real>|<real>+1e-3</real>|<real>inf</real>|<real>nan</real>".split(
    "|",
  ),
  ..."<date>2026-02-28T23:59:59Z</date>|<date>2026-02-30T00:00:00Z</date>|<data>AAEC</data>|<data> AA EC\n</data>|<data>AAE</data>|<data>AAF=</data>".split(
    "|",
  ),
  ..."<!-- x -->|<![CDATA[x]]>|&amp;|&#13;|&#x41;|&lt;|&e;|]]|<?pi?>|\r\n|\r|\t| |text|é|😀|\u00a0|\u2028|<plist>|</plist>|<String>|<uid>1</uid>".split(
    "|",
  ),
);
const contents = fc.array(pieces, { minLength: 1, maxLength: 7 }).map((parts) => parts.join(""));
const frames = fc.constantFrom(
  "@",
  "<array>@</array>",
  "<array>@</array>",
  "<dict><key>k</key>@</dict>",
  "<dict>@</dict>",
  "<string>@</string>",
  "<string>a@</string>",
  "<dict><key>@</key><true/></dict>",
);
const documents = fc
  .tuple(fc.boolean(), frames, contents)
  .map(
    ([hasHead, frame, content]) =>
      `${hasHead ? `<?xml version="1.0" encoding="UTF-8"?>\n${plistDoctype}\n` : ""}<plist version="1.0">${frame.replace("@", () => content)}</plist>`,
  );

function readOf(document: string): PlistValue | undefined {
  try {
    return readPlist(Buffer.from(document));
  } catch (error) {
    assert.ok(error instanceof UnreadablePlist);
    return undefined;
  }
}

suite("property lists are the same to Python", () => {
  let python: string;
  before(async () => {
    python = await requirePackage("python3", "python3");
  });

  async function inPython(texts: readonly string[]): Promise<{ readonly value: unknown; readonly written: Buffer }[]> {
    const output = await new Promise<string>((resolve, reject) => {
      const options = { maxBuffer: 256 * 1024 * 1024, env: { PYTHONIOENCODING: "utf-8", PATH: process.env["PATH"] } };
      const child = execFile(python, ["-c", program], options, (error, stdout) =>
        error === null ? resolve(stdout) : reject(error),
      );
      child.stdin?.end(texts.map((text) => `${Buffer.from(text).toString("base64")}\n`).join(""));
    });
    return output
      .trimEnd()
      .split("\n")
      .map((line) => {
        const parsed: unknown = JSON.parse(line);
        assert.ok(Array.isArray(parsed));
        const [value, written] = parsed.map((each: unknown) => each);
        return { value: withReals(value), written: Buffer.from(String(written), "base64") };
      });
  }

  test("in whatever is written here, and back again", async () => {
    const values = fc.sample(plistValue, { numRuns: 1000, seed });
    const seen = await inPython(values.map(writePlist));
    for (const [index, value] of values.entries()) {
      assert.deepEqual(seen[index]?.value, tagged(value));
      // Python writes each line end as one.
      const back = tagged(readPlist(seen[index]?.written ?? Buffer.from("")));
      assert.deepEqual(back, withLineEnds(tagged(value)));
    }
  });

  test("in whatever is made of pieces that lead readers astray, and read here", async (t) => {
    const all = fc.sample(documents, { numRuns: DOCUMENTS, seed });
    const read = all.flatMap((document) => {
      const value = readOf(document);
      return value === undefined ? [] : [{ document, value }];
    });
    const seen = await inPython(read.map(({ document }) => document));
    for (const [index, { document, value }] of read.entries())
      assert.deepEqual(seen[index]?.value, tagged(value), document);
    t.diagnostic(`${read.length} of ${all.length} are read`);
    assert.ok(read.length > DOCUMENTS / 50, "or nothing was shown");
    const refused = await inPython(["<plist><array>", "{}"]);
    assert.ok(
      refused.every(({ value }) => JSON.stringify(value).startsWith('["refused"')),
      "and it does refuse",
    );
  });
});
