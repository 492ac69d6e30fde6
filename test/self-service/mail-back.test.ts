import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { createRechecks } from "../../src/inventory/rechecks.ts";
import type { Rechecks } from "../../src/inventory/recheck.ts";
import { createMailBack } from "../../src/self-service/mail-back.ts";
import type { MailBack } from "../../src/self-service/mail-back.ts";
import { openStore } from "../../src/store/open.ts";
import { eventually } from "../support/eventually.ts";
import { deviceId } from "../support/records.ts";

const device = deviceId("PHONEA");
const at = new Date("2026-11-28T10:00:00Z");

interface Scene {
  readonly rechecks: Rechecks;
  readonly open: () => MailBack;
  /** What the store was asked for by it. */
  readonly asked: string[];
}

async function aScene(t: TestContext): Promise<Scene> {
  const store = await openStore({ embedded: { path: ":memory:" } });
  t.after(() => store.close());
  const rechecks = createRechecks(store);
  const asked: string[] = [];
  const noted: Rechecks = {
    ...rechecks,
    read: (...parts) => {
      asked.push("read");
      return rechecks.read(...parts);
    },
    advance: (...parts) => {
      asked.push("advance");
      return rechecks.advance(...parts);
    },
  };
  return {
    rechecks,
    asked,
    open(): MailBack {
      const mailBack = createMailBack({
        rechecks: noted,
        onFailure: (cause) => assert.fail(String(cause)),
        now: () => at,
      });
      t.after(() => mailBack.close());
      return mailBack;
    },
  };
}

const isBack = async ({ rechecks }: Scene): Promise<void> =>
  eventually(async () => assert.deepEqual((await rechecks.read(device))?.steps["mail-back"], at));

test("a request of a phone that nobody waits for costs the store nothing", async (t) => {
  const scene = await aScene(t);
  const mailBack = scene.open();
  await scene.rechecks.ask(device, "page", at);
  await eventually(() => assert.deepEqual(scene.asked, ["read"]));
  for (let count = 0; count < 100; count += 1) {
    mailBack.passed(device);
    mailBack.passed(deviceId("PHONEB"));
  }
  assert.deepEqual(scene.asked, ["read"], "it was asked about, and is not clear");
});

test("the first request after the phone is clear takes the last step, and the next takes none", async (t) => {
  const scene = await aScene(t);
  const mailBack = scene.open();
  await scene.rechecks.ask(device, "page", at);
  await scene.rechecks.advance(device, 1, { step: "clear", at });
  await eventually(() => {
    mailBack.passed(device);
    assert.ok(scene.asked.includes("advance"));
  });
  await isBack(scene);
  for (let count = 0; count < 100; count += 1) mailBack.passed(device);
  assert.equal(scene.asked.filter((each) => each === "advance").length, 1);
});

test("a gate that is started meanwhile waits for it as well", async (t) => {
  const scene = await aScene(t);
  await scene.rechecks.ask(device, "page", at);
  await scene.rechecks.advance(device, 1, { step: "clear", at });
  const mailBack = scene.open();
  await eventually(() => {
    mailBack.passed(device);
    assert.ok(scene.asked.includes("advance"));
  });
  await isBack(scene);
});

test("a check that has ended, or was never clear, gets no last step", async (t) => {
  const scene = await aScene(t);
  const mailBack = scene.open();
  await scene.rechecks.ask(device, "page", at);
  await scene.rechecks.advance(device, 1, { step: "clear", at });
  await scene.rechecks.advance(device, 1, { end: "still-there", at });
  await eventually(() => assert.equal(scene.asked.length, 3));
  mailBack.passed(device);
  assert.deepEqual(scene.asked, ["read", "read", "read"]);
});
