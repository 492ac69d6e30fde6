/** The store does not answer: nobody gets mail who would not get it, whatever this node knew before. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { openStore } from "../../src/store/open.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import type { Store } from "../../src/store/store.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { aServer, ask } from "../support/http.ts";
import { sync, inbox } from "../support/activesync-documents.ts";
import { aSwitchedStore, basic, post, target } from "./wire.ts";

async function getsMail(gate: Gate): Promise<boolean> {
  gate.upstream.deliver("alice", { from: "carol@corp.example", subject: "Sent meanwhile", text: "." });
  const phone = gate.phone();
  await phone.refresh();
  return phone.inbox().some(({ subject }) => subject === "Sent meanwhile");
}

test("a phone that was reported with the app before the store went away gets no mail, though it had not asked since", async (t) => {
  const { store, goAway } = await aSwitchedStore();
  const gate = await aGate(t, { store });
  await gate.reports("PHONEA", clean);
  assert.equal(await getsMail(gate), true);
  await gate.reports("PHONEA", withTiktok);
  goAway();
  assert.equal(await getsMail(gate), false);
});

test("a deadline that passes while the store is away has passed", async (t) => {
  let at = new Date("2026-11-24T08:00:00Z");
  const { store, goAway } = await aSwitchedStore();
  const gate = await aGate(t, {
    store,
    now: () => at,
    config: `
campaigns:
  - id: tiktok
    title: TikTok is not permitted on phones that read company mail
    require: [{ absent: { name: TikTok, ios: [com.zhiliaoapp.musically] } }]
    waves: [{ deadline: "2026-11-24T08:30", timezone: UTC }]
`,
  });
  await gate.reports("PHONEA", withTiktok);
  const phone = gate.phone();
  await phone.refresh();
  await phone.refresh();
  goAway();
  at = new Date("2026-11-24T09:00:00Z");
  gate.upstream.deliver("alice", { from: "carol@corp.example", subject: "Sent meanwhile", text: "." });
  await phone.refresh();
  assert.equal(
    phone.inbox().some(({ subject }) => subject === "Sent meanwhile"),
    false,
  );
});

test("an operator's word that ends while the store is away has ended", async (t) => {
  let at = new Date("2026-11-24T08:00:00Z");
  const { store, goAway } = await aSwitchedStore();
  const gate = await aGate(t, { store, now: () => at });
  await gate.reports("PHONEA", {
    ...withTiktok,
    override: JSON.stringify({ action: "allow", until: "2026-11-24T08:30:00Z" }),
  });
  assert.equal(await getsMail(gate), true);
  goAway();
  at = new Date("2026-11-24T09:00:00Z");
  assert.equal(await getsMail(gate), false);
});

test("a phone in quarantine stays there, and one that nobody knows is told to come back", async (t) => {
  const { store, goAway } = await aSwitchedStore();
  const gate = await aGate(t, { store });
  await gate.reports("PHONEA", withTiktok);
  await gate.phone().refresh();
  goAway();
  assert.equal(await getsMail(gate), false);
  const before = gate.upstream.journal().length;
  const answer = await post(gate, "Sync", sync({ key: "0", id: inbox }), { id: "STRANGER" });
  assert.equal(answer.status, 503);
  assert.equal(gate.upstream.journal().length, before);
});

test("what was known of one person's phone is not known of another's with the same id", async (t) => {
  const { store, goAway } = await aSwitchedStore();
  const gate = await aGate(t, { store });
  await gate.reports("PHONEA", { ...clean, owner: "alice" });
  assert.equal(await getsMail(gate), true);
  goAway();
  const bob = { user: "bob", password: "bob-Pw-2" };
  const before = gate.upstream.journal().length;
  assert.equal((await post(gate, "Sync", sync({ key: "0", id: inbox }), bob)).status, 503);
  assert.equal(gate.upstream.journal().length, before);
});

test("a node that starts while the store is away gives no mail, and says that it is not ready", async (t) => {
  const upstream = await aServer(t, (_req, res) => res.end("mail"));
  const store = await openStore({ redis: { url: "redis://127.0.0.1:1/0" } });
  const gate = await aGate(t, { store, upstream: upstream.url });
  const answer = await ask(gate.url + target("Sync"), { method: "POST", headers: { Authorization: basic() } });
  assert.equal(answer.status, 503);
  assert.deepEqual(upstream.seen, []);
  assert.equal((await fetch(`${gate.app.admin.url}/readyz`)).status, 503);
});

suite("whatever else the store does wrong, the gate answers 503 and passes nothing", () => {
  const faults: readonly (readonly [fault: string, facts: Store["facts"]])[] = [
    ["it throws something else", () => Promise.reject(new TypeError("broken"))],
    ["it throws no error at all", () => Promise.reject(new StoreUnavailable(undefined))],
    [
      "it throws at once",
      () => {
        throw new RangeError("broken");
      },
    ],
  ];
  for (const [fault, facts] of faults) {
    test(fault, async (t) => {
      const upstream = await aServer(t, (_req, res) => res.end("mail"));
      const real = await openStore({ embedded: { path: ":memory:" } });
      const gate = await aGate(t, { store: { ...real, facts }, upstream: upstream.url });
      for (const command of ["Sync", "Ping", "Settings"]) {
        const answer = await post(gate, command, undefined);
        assert.equal(answer.status, 503);
        assert.doesNotMatch(answer.body.toString(), /broken|mail$/);
      }
      assert.deepEqual(upstream.seen, []);
    });
  }
});

suite("a record that cannot be read is no reason to let a phone in", () => {
  const records: readonly (readonly [fault: string, fields: Readonly<Record<string, string>>])[] = [
    ["a list of apps that is no list", { ...clean, apps: "[" }],
    ["a list of apps in a field of another case", { platform: "ios", appsScope: "all", Apps: "[]" }],
    ["a verdict that is no word of ours", { ...clean, compliance: "maybe" }],
    ["an operator's word with a key too many", { ...clean, override: '{"action":"allow","untill":"2020-01-01"}' }],
    [
      "an operator's word that ends at a time that does not exist",
      { ...clean, override: '{"action":"allow","until":"2026-02-31"}' },
    ],
    ["an owner that is no name", { ...clean, owner: "a@b@c" }],
    ["an owner of letters that look like others", { ...clean, owner: "ａlice" }],
    ["a field of a prototype", { ...clean, apps: "[]", compliance: "__proto__" }],
    ["a report from the future", { ...clean, deviceAt: "2999-01-01" }],
    ["an empty owner", { ...clean, owner: " " }],
  ];
  for (const [fault, fields] of records) {
    test(fault, async (t) => {
      const gate = await aGate(t);
      await gate.reports("PHONEA", fields);
      assert.equal(await getsMail(gate), false);
    });
  }
});
