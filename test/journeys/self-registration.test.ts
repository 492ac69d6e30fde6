/** A mail app that goes by an id of its own: its owner says on the page that the phone is a managed one of theirs. On a real gate, over HTTP. */
import assert from "node:assert/strict";
import { hkdfSync } from "node:crypto";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createBindings } from "../../src/inventory/bindings.ts";
import type { Bindings } from "../../src/inventory/bindings.ts";
import { createIntake } from "../../src/inventory/intake.ts";
import type { InventoryReport } from "../../src/inventory/report.ts";
import { readWish } from "../../src/inventory/registrations.ts";
import type { Phone } from "../../src/phone/phone.ts";
import type { DeviceId } from "../../src/policy/device.ts";
import { createLinks } from "../../src/self-service/links.ts";
import type { Sources } from "../../src/self-service/self-service.ts";
import { openStore } from "../../src/store/open.ts";
import { eventually } from "../support/eventually.ts";
import { aGate } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { ask } from "../support/http.ts";
import { deviceId } from "../support/records.ts";
import { startRedis } from "../support/redis-server.ts";
import { follow, linkOn, withPages } from "../support/self-service.ts";

const invented = deviceId("SEC1A2B3C4D5");
const tiktok = { id: "com.zhiliaoapp.musically", name: "TikTok", version: "42.1" };
const mail = { id: "com.example.mail", name: "Mail", version: "1" };
const settings = { appIds: () => [tiktok.id], homeDomains: [], ownerRequired: true, now: () => new Date() } as const;

type Mode = "off" | "approve" | "allow";

/** A clean managed Android phone of alice's. Its source knows no id at the gate. */
function report(parts: Partial<InventoryReport> = {}): InventoryReport {
  const at = new Date(Date.now() - 300_000);
  return {
    source: "emm",
    sourceDeviceId: "17",
    enrolled: true,
    owner: { email: "alice@demo.example", name: "alice" },
    platform: "android",
    model: "Galaxy <S24>",
    deviceAt: at,
    apps: { scope: "all", apps: [mail], at },
    ...parts,
  };
}

interface Opened {
  readonly gate: Gate;
  readonly phone: Phone;
  readonly url: string;
  readonly bindings: Bindings;
  readonly take: (...reports: readonly InventoryReport[]) => Promise<void>;
}

const options = { deviceId: invented, deviceType: "Android", userAgent: "Android-SAMSUNG-SM-S921B/101.14" } as const;

/** The page of a phone of alice's whose id no source knows. */
async function aPage(
  t: TestContext,
  mode: Mode,
  reports: readonly InventoryReport[] = [report()],
  store?: Gate["store"],
  sources?: Sources,
): Promise<Opened> {
  const gate = await aGate(t, {
    config: `inventory: { join: { selfRegistration: ${mode} } }${withPages}`,
    ...(store === undefined ? {} : { store }),
    ...(sources === undefined ? {} : { sources }),
  });
  const intake = createIntake({ ...settings, store: gate.store, privacy: "all" });
  const take = async (...more: readonly InventoryReport[]): Promise<void> => {
    for (const each of more) await intake.take(each);
  };
  await take(...reports);
  const phone = gate.phone(options);
  const url = await pageOf(gate, phone);
  return { gate, phone, url, take, bindings: createBindings({ ...settings, store: gate.store }) };
}

/** What came at the gate is written down a little later. */
async function pageOf(gate: Gate, phone: Phone, id = invented, account = "alice"): Promise<string> {
  await phone.refresh();
  const url = gate.url + (await linkOn(phone));
  await eventually(async () => {
    const seen = await gate.store.lastRequests([id]);
    assert.ok(seen.some((each) => each.account === account));
  });
  return url;
}

const text = async (url: string): Promise<string> => (await ask(url)).body.toString("utf8");
const register = (url: string, headers: Readonly<Record<string, string>> = {}): ReturnType<typeof ask> =>
  ask(`${url}/register`, { method: "POST", headers });
const subjects = async (phone: Phone): Promise<number> => {
  await phone.refresh();
  return phone.inbox().filter(({ from }) => from.address === "carol@corp.example").length;
};
const mayRegister = /<button id="register"/;
const said = /id="registration"/;

async function results({ gate }: Opened): Promise<readonly string[]> {
  const metrics = await text(`${gate.app.admin.url}/metrics`);
  return [...metrics.matchAll(/^postern_registrations_total\{result="([\w-]+)"\} \d+$/gm)].map(
    ([, result = ""]) => result,
  );
}

/** Signed as the gate signs: a link that no notice had. */
function forged({ gate }: Opened, device: DeviceId, account: string): string {
  const key = new Uint8Array(hkdfSync("sha256", new Uint8Array(32).fill(7), "", "postern self-service", 32));
  const links = createLinks({ keys: [key], linkHours: 72 });
  return `${gate.url}/postern/${links.make({ device, account, at: new Date(), until: undefined })}`;
}

async function isStranger({ gate, bindings, phone }: Opened): Promise<void> {
  assert.equal(await bindings.read(invented), undefined);
  assert.equal((await gate.store.facts([invented], "alice")).record, undefined);
  assert.equal(await subjects(phone), 0, "and its mail is held");
}

const stores: readonly (readonly [string, (t: TestContext) => Promise<Gate["store"]>])[] = [
  ["embedded", () => openStore({ embedded: { path: ":memory:" } })],
  [
    "Redis",
    async (t) => {
      const redis = await startRedis();
      t.after(() => redis.stop());
      return openStore({ redis: { url: redis.url } });
    },
  ],
];

for (const [name, open] of stores) {
  suite(`where owners may register, a store that is ${name}`, () => {
    test("the phone is bound at their word, and the page goes on until the mail is back", async (t) => {
      const opened = await aPage(t, "allow", [report()], await open(t));
      const { gate, phone, url, bindings } = opened;
      const page = await text(url);
      assert.match(page, /Is this your managed phone, <bdi>Galaxy &lt;S24&gt;<\/bdi>\?/);
      assert.match(page, /<button id="register" class="button">This is my managed phone<\/button>/);
      assert.doesNotMatch(page, /IT has to agree/);
      const answer = await ask(`${url}/register?lang=de`, { method: "POST" });
      assert.equal(answer.status, 303);
      assert.equal(answer.headers.location, `${new URL(url).pathname}?lang=de`);

      const bound = await bindings.read(invented);
      assert.deepEqual(
        [bound?.binding?.how, bound?.binding?.by, bound?.binding?.sourceDeviceId],
        ["self", "alice", "17"],
      );
      assert.match(await text(url), /<h1[^>]*>All is well/);
      assert.equal(await subjects(phone), 3);
      assert.equal(
        await subjects(gate.phone({ ...options, user: "bob", password: "bob-Pw-2" })),
        0,
        "and only alice's",
      );
      await register(url);
      assert.deepEqual(await results(opened), ["bound", "of-no-use"]);
    });

    test("where an operator has to agree, the wish waits, and is granted", async (t) => {
      const opened = await aPage(t, "approve", [report()], await open(t));
      const { gate, phone, url, bindings } = opened;
      assert.match(await text(url), /Galaxy &lt;S24&gt;.*IT has to agree first\./s);
      const follower = await follow(t, url);
      await follower.until("to-do");
      assert.equal((await register(url)).status, 303);
      const wish = await readWish(gate.store, invented);
      assert.equal(wish?.account, "alice");
      await register(url);
      assert.deepEqual(await readWish(gate.store, invented), wish, "said twice is said once");
      const page = await text(url);
      assert.match(page, /You have told us that this is your managed phone\. IT has to agree/);
      assert.doesNotMatch(page, mayRegister);
      await isStranger(opened);

      const order = { source: "emm", sourceDeviceId: "17", how: "operator", by: "olga" } as const;
      assert.equal((await bindings.bind({ ...order, id: invented })).kind, "bound");
      await follower.until("well");
      assert.equal(await subjects(phone), 3);
      assert.deepEqual(await results(opened), ["noted"]);
    });
  });
}

test("with a source that can be asked, the page goes on as after a check: all clear, and the mail is back", async (t) => {
  const sources: Sources = { areThere: () => true, refreshOf: () => undefined };
  const { url, phone } = await aPage(t, "allow", [report()], undefined, sources);
  const page = await follow(t, url);
  await page.until("to-do");
  await register(url);
  await page.until("clear");
  assert.match(await text(url), /<h1[^>]*>All clear/);
  assert.doesNotMatch(await text(url), /Answer from your/, "for which nobody had to wait");
  assert.equal(await subjects(phone), 3);
  await page.until("back");
});

test("a phone that is bound and still has a banned app stays held, and is told so", async (t) => {
  const at = new Date(Date.now() - 60_000);
  const { phone, url } = await aPage(t, "allow", [report({ apps: { scope: "all", apps: [mail, tiktok], at } })]);
  await register(url);
  assert.match(await text(url), /TikTok/);
  assert.doesNotMatch(await text(url), said);
  assert.equal(await subjects(phone), 0);
});

suite("nothing is bound, and nothing is said of it,", () => {
  test("where the configuration does not let owners register", async (t) => {
    const opened = await aPage(t, "off");
    assert.doesNotMatch(await text(opened.url), said);
    assert.equal((await register(opened.url)).status, 303);
    assert.equal(await readWish(opened.gate.store, invented), undefined);
    await isStranger(opened);
    assert.deepEqual(await results(opened), ["of-no-use"]);
  });

  test("by the link that another person was given for the same id", async (t) => {
    const opened = await aPage(t, "allow");
    const { gate } = opened;
    const url = await pageOf(gate, gate.phone({ ...options, user: "bob", password: "bob-Pw-2" }), invented, "bob");
    const page = await text(url);
    assert.doesNotMatch(page, /Galaxy|alice/, "not even what alice has");
    assert.match(page, /We know no managed phone of yours/);
    await register(url);
    await isStranger(opened);
  });

  test("by a link for an account whose credential never came from this id", async (t) => {
    const opened = await aPage(t, "allow", [report(), report({ sourceDeviceId: "18", owner: { name: "bob" } })]);
    const url = forged(opened, invented, "bob");
    assert.equal((await ask(url)).status, 200, "it is a good link");
    assert.doesNotMatch(await text(url), said);
    await register(url);
    await isStranger(opened);
  });

  test("where the mail server refused the credential", async (t) => {
    const opened = await aPage(t, "allow");
    const other = deviceId("SECGUESSED");
    await opened.gate.phone({ ...options, deviceId: other, password: "guessed" }).refresh();
    const url = forged(opened, other, "alice");
    assert.equal((await ask(url)).status, 200, "it is a good link");
    assert.doesNotMatch(await text(url), said);
    await register(url);
    assert.equal(await opened.bindings.read(other), undefined);
    assert.deepEqual(await results(opened), ["of-no-use"]);
  });

  test("of an id that is bound already, or that an operator has taken back from its owner", async (t) => {
    const opened = await aPage(t, "allow");
    const { url, bindings, gate } = opened;
    await register(url);
    await register(url);
    assert.equal((await bindings.read(invented))?.claims.length, 1);
    assert.equal(await bindings.unbind(invented), true);
    assert.equal((await gate.store.facts([invented], "alice")).record, undefined);
    assert.doesNotMatch(await text(url), said);
    await register(url);
    assert.equal((await bindings.read(invented))?.binding, undefined);
    assert.equal(await subjects(opened.phone), 0);
  });

  test("of an id that a phone of somebody else claims", async (t) => {
    const opened = await aPage(t, "allow");
    await opened.take(report({ sourceDeviceId: "18", owner: { name: "bob" }, easDeviceIds: [invented] }));
    await register(opened.url);
    const bound = await opened.bindings.read(invented);
    assert.deepEqual([bound?.binding?.account, bound?.claims.length], ["bob", 1]);
    assert.doesNotMatch(await text(opened.url), said);
  });

  test("by a form of another site, and by a look", async (t) => {
    const opened = await aPage(t, "allow");
    assert.equal((await register(opened.url, { origin: "https://evil.example" })).status, 403);
    assert.equal((await register(opened.url, { "sec-fetch-site": "cross-site" })).status, 403);
    assert.equal((await ask(`${opened.url}/register`)).status, 405);
    await isStranger(opened);
  });

  test("more often than the page may be asked for", async (t) => {
    const opened = await aPage(t, "approve");
    const statuses = new Set<number>();
    for (let time = 0; time < 14; time += 1) statuses.add((await register(opened.url)).status);
    assert.deepEqual([...statuses], [303, 429]);
    assert.deepEqual(await results(opened), ["noted", "too-many"]);
  });
});

for (const mode of ["approve", "allow"] as const) {
  test(`${mode}: of two phones nobody can tell which; the page says so, and an operator is asked`, async (t) => {
    const opened = await aPage(t, mode, [report(), report({ sourceDeviceId: "18", model: "Pixel 9" })]);
    const page = await text(opened.url);
    assert.match(page, /You have more than one managed phone/);
    assert.match(page, /<button id="register" class="button">Ask IT<\/button>/);
    assert.doesNotMatch(page, /Galaxy|Pixel/);
    await register(opened.url);
    assert.equal((await readWish(opened.gate.store, invented))?.account, "alice");
    assert.match(await text(opened.url), /IT has to agree; your mail then comes by itself/);
    await isStranger(opened);
  });

  test(`${mode}: whoever has none of that kind is told so, without a button`, async (t) => {
    const phones = [report({ platform: "ios" }), report({ sourceDeviceId: "18", enrolled: false })];
    const opened = await aPage(t, mode, phones);
    const page = await text(opened.url);
    assert.match(page, /We know no managed phone of yours that this could be/);
    assert.doesNotMatch(page, mayRegister);
    await register(opened.url);
    assert.equal(await readWish(opened.gate.store, invented), undefined);
    await isStranger(opened);
  });
}
