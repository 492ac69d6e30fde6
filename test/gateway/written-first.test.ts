/** What upstream's answer changes is written down before the phone has it: what it asks next is answered by what is written. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { decode } from "../../src/activesync/wbxml.ts";
import { openStore } from "../../src/store/open.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import type { MailboxChange, Store } from "../../src/store/store.ts";
import { mailboxOf, post } from "../hostile/wire.ts";
import { inbox, ping, sync, textsIn } from "../support/activesync-documents.ts";
import { aGate, clean } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { deviceId } from "../support/records.ts";

const writeMs = 60;

/** A store that takes its time, or does not take it, where upstream's answer is what is written down. */
async function aSlowStore(settle: (change: MailboxChange) => Promise<void>): Promise<Store> {
  const real = await openStore({ embedded: { path: ":memory:" } });
  return {
    ...real,
    async updateMailbox(key, change): Promise<void> {
      if (change.drained !== undefined || change.heard !== undefined) await settle(change);
      await real.updateMailbox(key, change);
    },
  };
}

/** Released, with keys of a quarantine left, and folders that have ids as upstream has them. */
async function aReleasedPhone(t: TestContext, store: Store): Promise<{ gate: Gate; folder: string }> {
  const gate = await aGate(t, { store });
  await gate.reports("PHONEA", clean);
  const folder = gate.upstream.mailbox("alice").folders.find(({ name }) => name === "Inbox")?.id ?? inbox;
  await store.updateMailbox(
    { device: deviceId("PHONEA"), account: "alice" },
    { issue: [folder], unheard: ["Sync", "Ping"] },
  );
  return { gate, folder };
}

suite("what upstream's answer changes", () => {
  test("is written when the answer arrives at the phone", async (t) => {
    const store = await aSlowStore(() => setTimeout(writeMs));
    const { gate, folder } = await aReleasedPhone(t, store);
    const answer = await post(gate, "Sync", sync({ key: "0", id: folder }));
    assert.equal(answer.status, 200);
    const { issued, unheard } = await mailboxOf(store);
    assert.deepEqual([[...issued], [...unheard]], [[], ["Ping"]]);
    const [key = ""] = textsIn(decode(answer.body), "AirSync:SyncKey");
    assert.notEqual(key, "0");
  });

  test("does not cost the phone its answer where the store is away, and then it is attended to for longer", async (t) => {
    const store = await aSlowStore(() => Promise.reject(new StoreUnavailable(new Error("away"))));
    const { gate, folder } = await aReleasedPhone(t, store);
    const answer = await post(gate, "Sync", sync({ key: "0", id: folder }));
    assert.equal(answer.status, 200);
    assert.deepEqual(textsIn(decode(answer.body), "AirSync:Status"), ["1"]);
    assert.deepEqual([...(await mailboxOf(store)).issued], [folder]);
  });

  test("is not written where upstream refuses, and the refusal goes down at once", async (t) => {
    const changes: MailboxChange[] = [];
    const store = await aSlowStore((change) => {
      changes.push(change);
      return Promise.resolve();
    });
    const { gate } = await aReleasedPhone(t, store);
    const answer = await post(gate, "Sync", sync({ key: "0", id: inbox }), { password: "wrong" });
    assert.equal(answer.status, 401);
    assert.deepEqual(changes, []);
  });

  test("leaves the answer whole where the gate reads along", async (t) => {
    const store = await aSlowStore(() => setTimeout(writeMs));
    const { gate, folder } = await aReleasedPhone(t, store);
    const [key = ""] = textsIn(
      decode((await post(gate, "Sync", sync({ key: "0", id: folder }))).body),
      "AirSync:SyncKey",
    );
    // The folder has news, so upstream answers at once, and the gate learns from what passes.
    assert.notEqual(key, "");
    const answer = await post(gate, "Ping", ping("480", [folder, "Email"]));
    assert.deepEqual(textsIn(decode(answer.body), "Ping:Folder"), [folder]);
    const { unheard, ping: kept } = await mailboxOf(store);
    assert.deepEqual([[...unheard], kept?.heartbeatSeconds], [[], 480]);
  });
});
