/** A sync key of the gate's own never reaches upstream: whatever becomes of the phone's record, the store, or the request. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { encode } from "../../src/activesync/wbxml.ts";
import { collection, estimateOf, inbox, sync, syncOf } from "../support/activesync-documents.ts";
import { element } from "../../src/activesync/document.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { deviceId } from "../support/records.ts";
import { aSwitchedStore, basic, keysUpstream, mailboxOf, post } from "./wire.ts";

const now = (): Date => new Date("2026-11-24T08:00:00Z");
const inGrace = `
campaigns:
  - id: tiktok
    title: TikTok is not permitted on phones that read company mail
    require:
      - absent: { name: TikTok, ios: [com.zhiliaoapp.musically] }
    waves: [{ deadline: "2026-11-25T12:00", timezone: UTC }]
`;
const asCorp = { headers: { Authorization: basic("CORP\\alice") } };
const ours = "{50535451-0123-4567-89ab-0123456789ab}10002";

suite("what becomes of the record while the phone holds keys", () => {
  test("its inventory knows it by the other spelling of its id", async (t) => {
    const gate = await aGate(t);
    const phone = gate.phone({ queryForm: "base64" });
    await phone.refresh();
    assert.equal(phone.inbox().length, 1, "it was unknown, and got the notice");
    await gate.reports(Buffer.from("PHONEA").toString("hex"), clean);
    await phone.refresh();
    assert.deepEqual(keysUpstream(gate), []);
  });
  test("an alias leads it to a record", async (t) => {
    const gate = await aGate(t);
    const phone = gate.phone();
    await phone.refresh();
    await gate.reports("PHONEOFALICE", clean);
    await gate.store.writeAlias(deviceId("PHONEA"), deviceId("PHONEOFALICE"));
    await phone.refresh();
    assert.deepEqual(keysUpstream(gate), []);
  });
  test("it was forgotten and reported anew", async (t) => {
    const gate = await aGate(t);
    const phone = gate.phone();
    await gate.reports("PHONEA", withTiktok);
    await phone.refresh();
    await gate.store.forget(deviceId("PHONEA"));
    await gate.reports("PHONEA", clean);
    await phone.refresh();
    assert.deepEqual(keysUpstream(gate), []);
  });
  test("the person writes the name differently", async (t) => {
    const gate = await aGate(t);
    await gate.reports("PHONEA", withTiktok);
    const answer = await post(gate, "Sync", sync({ key: "0", id: inbox }), { user: "CORP%5Calice", ...asCorp });
    const [key] = /\{50535451-[^}]*\}\d+/.exec(answer.body.toString("latin1")) ?? [];
    assert.ok(key !== undefined);
    await gate.reports("PHONEA", clean);
    await post(gate, "Sync", sync({ key, id: inbox }));
    assert.deepEqual(keysUpstream(gate), []);
  });
  test("it goes in and out five times, with a Ping and a Sync each time", async (t) => {
    const gate = await aGate(t);
    const phone = gate.phone();
    for (let round = 0; round < 5; round += 1) {
      await gate.reports("PHONEA", round % 2 === 0 ? withTiktok : clean);
      await phone.refresh();
      await phone.sync("Inbox");
      await phone.refresh();
    }
    await gate.reports("PHONEA", clean);
    await phone.refresh();
    assert.deepEqual(keysUpstream(gate), []);
    assert.equal(phone.inbox().length, 3);
  });
});

test("the store goes away behind the answer that hands out the key for a warned phone", async (t) => {
  const { store, goAway } = await aSwitchedStore();
  const gate = await aGate(t, { store, config: inGrace, now });
  await gate.reports("PHONEA", clean);
  await gate.phone().refresh();
  await gate.reports("PHONEA", withTiktok);
  await post(gate, "Sync", sync({ key: "{00000000-0000-4000-8000-000000000000}5", id: inbox }));
  const key = (await mailboxOf(store)).warning?.shadow?.key;
  assert.ok(key !== undefined);
  goAway();
  await post(gate, "Sync", sync({ key, id: inbox }));
  assert.deepEqual(keysUpstream(gate), []);
});

/** A phone that was in quarantine and is on its way out. */
async function leaving(gate: Gate): Promise<void> {
  await gate.reports("PHONEA", withTiktok);
  await gate.phone().refresh();
  await gate.reports("PHONEA", clean);
}

suite("a phone on its way out hides a key of ours in a request that is not a Sync", () => {
  for (const command of ["Ping", "Settings", "Search", "FolderSync", "SendMail", "ItemOperations", "MoveItems"]) {
    test(command, async (t) => {
      const gate = await aGate(t);
      await leaving(gate);
      const answer = await post(gate, command, sync({ key: ours, id: inbox }));
      assert.equal(answer.status, 400);
      assert.deepEqual(keysUpstream(gate), []);
    });
  }
});

suite("a phone on its way out words a key of ours in every way that a server might read", () => {
  const key = (bytes: Uint8Array | string) =>
    syncOf([element("AirSync:Collection", element("AirSync:SyncKey", bytes), element("AirSync:CollectionId", inbox))]);
  const documents: readonly (readonly [wording: string, document: ReturnType<typeof element>])[] = [
    ["as text", key(ours)],
    ["as bytes", key(Buffer.from(ours))],
    [
      "in two pieces",
      syncOf([element("AirSync:Collection", element("AirSync:SyncKey", ours.slice(0, 5), ours.slice(5)))]),
    ],
    ["behind another folder", syncOf([collection({ key: "0", id: "7" }), collection({ key: ours, id: inbox })])],
    ["for a folder without a name", sync({ key: ours })],
    [
      "twice in one folder",
      syncOf([element("AirSync:Collection", element("AirSync:SyncKey", "0"), element("AirSync:SyncKey", ours))]),
    ],
  ];
  for (const [wording, document] of documents) {
    test(wording, async (t) => {
      const gate = await aGate(t);
      await leaving(gate);
      const answer = await post(gate, "Sync", document);
      assert.ok(answer.status === 200 || answer.status === 400 || answer.status === 503, String(answer.status));
      assert.deepEqual(keysUpstream(gate), []);
    });
  }
  test("in a GetItemEstimate", async (t) => {
    const gate = await aGate(t);
    await leaving(gate);
    await post(
      gate,
      "GetItemEstimate",
      estimateOf([element("AirSync:SyncKey", ours), element("GetItemEstimate:CollectionId", inbox)]),
    );
    assert.deepEqual(keysUpstream(gate), []);
  });
  test("in a body that is packed", async (t) => {
    const gate = await aGate(t);
    await leaving(gate);
    await post(gate, "Sync", gzipSync(encode(key(ours))), { headers: { "Content-Encoding": "gzip" } });
    assert.deepEqual(keysUpstream(gate), []);
  });
});

suite("a warned phone names the key that stands for a real one in another place", () => {
  const elsewhere: readonly (readonly [place: string, document: (key: string) => ReturnType<typeof element>])[] = [
    ["for another folder", (key) => sync({ key, id: "7" })],
    ["twice for the Inbox", (key) => sync({ key, id: inbox }, { key, id: inbox })],
  ];
  for (const [place, document] of elsewhere) {
    test(place, async (t) => {
      const gate = await aGate(t, { config: inGrace, now });
      await gate.reports("PHONEA", clean);
      await gate.phone().refresh();
      await gate.reports("PHONEA", withTiktok);
      await post(gate, "Sync", sync({ key: "{00000000-0000-4000-8000-000000000000}5", id: inbox }));
      const key = (await mailboxOf(gate.store)).warning?.shadow?.key;
      assert.ok(key !== undefined);
      await post(gate, "Sync", document(key));
      assert.deepEqual(keysUpstream(gate), []);
    });
  }
});
