/** From the notice on the phone to the page, from the page to a check, and from the check to the mail: on a real gate, over HTTP. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { createRechecks } from "../../src/inventory/rechecks.ts";
import type { Rechecks } from "../../src/inventory/recheck.ts";
import type { Sources } from "../../src/self-service/self-service.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { eventually } from "../support/eventually.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import type { Gate, GateOptions } from "../support/gate.ts";
import { ask } from "../support/http.ts";
import { deviceId } from "../support/records.ts";
import { startRedis } from "../support/redis-server.ts";
import { signedHeaders } from "../support/signed-push.ts";
import { startSmtpServer } from "../support/smtp-server.ts";
import { follow, linkOn, noticeOn, withPages } from "../support/self-service.ts";

const phoneA = deviceId("PHONEA");
const text = async (url: string): Promise<string> => (await ask(url)).body.toString("utf8");
const subjects = (phone: ReturnType<Gate["phone"]>): string[] => phone.inbox().map(({ subject }) => subject);

const mdm: Sources = { areThere: () => true, refreshOf: () => ({ usualSeconds: [2, 120], unlockFirst: true }) };

/** What a source does with a wish, played by the test: the report is written as an intake would write it. */
async function playSource(
  rechecks: Rechecks,
  what: "sent" | "answered" | "clear" | "still-there",
  number = 1,
): Promise<void> {
  const at = new Date();
  const to = what === "still-there" ? ({ end: what, at } as const) : ({ step: what, at, source: "mdm" } as const);
  assert.equal(await rechecks.advance(phoneA, number, to), true, what);
}

/** As a page on another node, or an operator, would ask: a gate of this process that has no sources would end it at once. */
async function wish(rechecks: Rechecks, at = new Date()): Promise<void> {
  assert.equal((await rechecks.ask(phoneA, "page", at)).kind, "asked");
}

const stores: readonly (readonly [name: string, open: (t: TestContext) => Promise<Store>])[] = [
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
  suite(`a phone with a banned app, a store that is ${name}`, () => {
    test("finds a link in its notice, is checked again, and the page says when its mail is back", async (t) => {
      const gate = await aGate(t, { config: withPages, store: await open(t), sources: mdm });
      const rechecks = createRechecks(gate.store);
      const phone = gate.phone();
      await gate.reports("PHONEA", withTiktok);
      await phone.refresh();
      const url = gate.url + (await linkOn(phone));
      assert.match(await text(url), /<h1[^>]*>Remove <bdi>TikTok<\/bdi> from your iPhone to get your mail back<\/h1>/);

      const page = await follow(t, url);
      await page.until("to-do");
      assert.equal((await ask(`${url}/check`, { method: "POST" })).status, 303);
      assert.deepEqual((await page.until("checking")).steps, ["asked"]);
      await playSource(rechecks, "sent");
      await eventually(() => assert.deepEqual(page.events.at(-1)?.steps, ["asked", "sent"]));
      assert.match(await text(url), /Your iPhone has been asked for a new report/);
      assert.match(
        await text(url),
        /Unlock your iPhone and keep this page open\.<br>This usually takes 2 seconds to 2 minutes/,
      );
      await playSource(rechecks, "answered");
      await page.until("answered");
      await gate.reports("PHONEA", clean);
      await playSource(rechecks, "clear");
      await page.until("clear");
      assert.match(await text(url), /<h1[^>]*>All clear/);

      await phone.refresh();
      assert.equal(subjects(phone).length, 3);
      assert.deepEqual((await page.until("back")).steps, ["asked", "sent", "answered", "clear", "mail-back"]);
      const last = await text(url);
      assert.match(last, /<h1[^>]*>Your mail is back<\/h1>/);
      assert.equal(last.match(/<time datetime=/g)?.length, 4, "each step has its time");
      assert.doesNotMatch(last, /<form/);
    });
  });
}

test("two gates on one Redis: the page on one, the phone on the other", async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const storeOf = (): Promise<Store> => openStore({ redis: { url: redis.url } });
  const one = await aGate(t, { config: withPages, store: await storeOf() });
  const other = await aGate(t, { config: withPages, store: await storeOf(), upstream: one.upstreamUrl });
  const rechecks = createRechecks(one.store);
  await one.reports("PHONEA", withTiktok);
  const phone = other.phone();
  await phone.refresh();
  const path = await linkOn(phone);
  const page = await follow(t, one.url + path);
  await page.until("to-do");
  await wish(rechecks);
  await page.until("checking");
  await one.reports("PHONEA", clean);
  await playSource(rechecks, "clear");
  await page.until("clear");
  // The other gate has to have heard of it before the phone comes.
  await eventually(async () => {
    await phone.refresh();
    assert.equal(page.events.at(-1)?.stage, "back");
  });
});

suite("a gate that asks no source", () => {
  test("says so, is asked once only, and still sees when a script has written that the app is gone", async (t) => {
    const gate = await aGate(t, { config: withPages });
    const phone = gate.phone();
    await gate.reports("PHONEA", withTiktok);
    await phone.refresh();
    const url = gate.url + (await linkOn(phone));
    const page = await follow(t, url);
    await page.until("to-do");

    const posted = await ask(`${url}/check?lang=de`, { method: "POST" });
    assert.equal(posted.status, 303);
    assert.equal(posted.headers.location, `${new URL(url).pathname}?lang=de`);
    assert.equal((await page.until("ended")).end, "no-source");
    assert.match(await text(`${url}?lang=de`), /Ihr iPhone meldet sich von selbst.*meist im Lauf des Tages/s);
    assert.doesNotMatch(await text(url), /<button/, "another one would end as this did");
    assert.equal((await ask(`${url}/check`, { method: "POST" })).status, 303);
    assert.equal((await createRechecks(gate.store).read(phoneA))?.number, 1, "asked twice, and noted once");

    await gate.reports("PHONEA", clean);
    await page.until("well");
    assert.match(await text(url), /<h1[^>]*>All is well/);
    const metrics = await text(`${gate.app.admin.url}/metrics`);
    assert.match(metrics, /^postern_checks_asked_total\{result="asked"\} 1$/m);
    assert.match(metrics, /^postern_checks_asked_total\{result="of-no-use"\} 1$/m);
    assert.match(metrics, /^postern_self_service_streams 1$/m);
    assert.match(metrics, /^postern_self_service_pages_total\{result="shown"\} 3$/m);
    assert.match(metrics, /^postern_waiting_requests 0$/m, "an open page is no waiting request of a phone");
  });
});

test("with a source that pushes: the node that speaks with it says that it cannot be hurried, and its next report clears the page", async (t) => {
  const secret = "0123456789abcdef0123456789abcdef";
  const inventory = `inventory:
  listen: 127.0.0.1:0
  connectors:
    - { name: scripts, kind: push, secret: ${secret} }
`;
  const gate = await aGate(t, {
    config: `identity: { domains: [corp.example] }\n${inventory}${withPages.trimStart()}`,
  });
  const push = async (apps: readonly string[], id: string): Promise<void> => {
    const device = {
      sourceDeviceId: "17",
      easDeviceIds: ["PHONEA"],
      owner: { email: "alice@corp.example", name: "alice" },
      platform: "ios",
      osVersion: "26.1",
      deviceAt: new Date().toISOString(),
      apps,
      appsScope: "all",
    };
    const body = JSON.stringify({ devices: [device] });
    const headers = { "content-type": "application/json", ...signedHeaders(secret, body, { id }) };
    const answer = await ask(`${gate.app.inventory?.url ?? ""}/v1/inventory/scripts`, {
      method: "POST",
      headers,
      body,
    });
    assert.equal(answer.status, 200, answer.body.toString());
    assert.match(answer.body.toString(), /"accepted"/);
  };
  await push(["com.zhiliaoapp.musically"], "first-push-of-the-test-0001");
  const phone = gate.phone();
  await phone.refresh();
  const url = gate.url + (await linkOn(phone));
  const page = await follow(t, url);
  await page.until("to-do");
  assert.equal((await ask(`${url}/check`, { method: "POST" })).status, 303);
  assert.equal((await page.until("ended")).end, "cannot-hurry");
  assert.match(await text(url), /The next report comes by itself/);
  // A report is newer by its second.
  await setTimeout(1100);
  await push(["com.apple.mobilesafari"], "second-push-of-the-test-002");
  await page.until("well");
  await phone.refresh();
  assert.equal(subjects(phone).length, 3);
});

suite("what a check ends with", () => {
  test("still there: the steps are on the page again, and after a minute so is the button", async (t) => {
    let nowMs = Date.now();
    const gate = await aGate(t, { config: withPages, sources: mdm, now: () => new Date(nowMs) });
    const rechecks = createRechecks(gate.store);
    const phone = gate.phone();
    await gate.reports("PHONEA", withTiktok);
    await phone.refresh();
    const url = gate.url + (await linkOn(phone));
    await wish(rechecks, new Date(nowMs));
    await playSource(rechecks, "answered");
    await playSource(rechecks, "still-there");
    nowMs += 59_000;
    const said = await text(url);
    assert.match(said, /<h1[^>]*>It is still on your iPhone/);
    assert.match(said, /Delete App/);
    assert.match(said, /You can check once more from \d\d:\d\d:\d\d\./);
    assert.doesNotMatch(said, /<button/);
    await ask(`${url}/check`, { method: "POST" });
    assert.equal((await rechecks.read(phoneA))?.number, 1);

    const page = await follow(t, url);
    const { mark } = await page.until("ended");
    nowMs += 1_000;
    await eventually(() => assert.notEqual(page.events.at(-1)?.mark, mark), 10_000);
    assert.match(await text(url), /<button id="check" class="button">Check once more<\/button>/);
    await ask(`${url}/check`, { method: "POST" });
    assert.equal((await rechecks.read(phoneA))?.number, 2);
    const metrics = await text(`${gate.app.admin.url}/metrics`);
    assert.match(metrics, /^postern_checks_asked_total\{result="too-soon"\} 1$/m);
  });

  test("a phone that was cleared and is held again before it came can be checked again", async (t) => {
    let nowMs = Date.now();
    const gate = await aGate(t, { config: withPages, now: () => new Date(nowMs) });
    const rechecks = createRechecks(gate.store);
    const phone = gate.phone();
    await gate.reports("PHONEA", withTiktok);
    await phone.refresh();
    const url = gate.url + (await linkOn(phone));
    await rechecks.ask(phoneA, "page", new Date(nowMs));
    await playSource(rechecks, "clear");
    assert.match(await text(url), /<h1[^>]*>Remove/);
    nowMs += 61_000;
    await ask(`${url}/check`, { method: "POST" });
    assert.equal((await rechecks.read(phoneA))?.number, 2);
  });

  test("nobody answers at all: after a quarter of an hour the page says that the phone has not", async (t) => {
    let nowMs = Date.now();
    const gate = await aGate(t, { config: withPages, now: () => new Date(nowMs) });
    const phone = gate.phone();
    await gate.reports("PHONEA", withTiktok);
    await phone.refresh();
    const url = gate.url + (await linkOn(phone));
    await createRechecks(gate.store).ask(phoneA, "page", new Date(nowMs));
    nowMs += 899_000;
    assert.match(await text(url), /<h1[^>]*>Checking your iPhone/);
    nowMs += 2_000;
    assert.match(await text(url), /<h1[^>]*>Your iPhone has not answered yet/);
  });
});

suite("the link in the notice", () => {
  test("is no reason to deliver the same notice anew, and works for as long as the phone shows it", async (t) => {
    let nowMs = Date.UTC(2026, 10, 10, 12);
    const deadline = "waves: [{ announce: 2026-11-01T00:00Z, deadline: 2026-11-24T12:00Z }]";
    const gate = await aGate(t, {
      config: withPages.replace(/(\n {4}require:)/, `\n    ${deadline}$1`),
      now: () => new Date(nowMs),
    });
    const phone = gate.phone();
    await gate.reports("PHONEA", withTiktok);
    await phone.refresh();
    await phone.refresh();
    const message = noticeOn(phone);
    assert.equal(message.subject, "Remove TikTok from your iPhone to keep your mail");
    const path = await linkOn(phone);

    nowMs += 9 * 86_400_000;
    await phone.refresh();
    assert.equal(noticeOn(phone).id, message.id, "nine days later it is the same message");
    assert.equal((await ask(gate.url + path)).status, 200, "and its link works");

    nowMs = Date.UTC(2026, 10, 24, 13);
    await phone.refresh();
    assert.match(subjects(phone).join(), /to get your mail back/);
    const held = await linkOn(phone);
    nowMs += 72 * 3_600_000;
    assert.equal((await ask(gate.url + held)).status, 200, "a link works for 72 hours at least");
    nowMs += 25 * 3_600_000;
    const old = await ask(gate.url + held);
    assert.equal(old.status, 410);
    assert.match(old.body.toString(), /This link is too old/);
    assert.doesNotMatch(old.body.toString(), /TikTok|PHONEA/);
    await phone.refresh();
    assert.equal((await ask(gate.url + (await linkOn(phone)))).status, 200, "the notice of the day has a new one");
  });

  test("works after the secret was changed, as long as the one before is named", async (t) => {
    const before = Buffer.from(Array.from({ length: 32 }, (_, index) => 100 + index));
    const folder = mkdtempSync(path.join(os.tmpdir(), "postern-secret-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const previousFile = path.join(folder, "before");
    writeFileSync(previousFile, before, { mode: 0o600 });
    const opened = async (options: GateOptions): Promise<Gate> => {
      const gate = await aGate(t, { config: withPages, ...options });
      await gate.reports("PHONEA", withTiktok);
      return gate;
    };
    const first = await opened({ secret: before });
    const phone = first.phone();
    await phone.refresh();
    const link = await linkOn(phone);
    const changed = await opened({ config: `secret: { previousFile: ${previousFile} }\n${withPages}` });
    assert.equal((await ask(changed.url + link)).status, 200);
    const without = await opened({});
    assert.equal((await ask(without.url + link)).status, 404);
  });

  test("is not there without a public address, and there are no pages then", async (t) => {
    const gate = await aGate(t);
    const phone = gate.phone();
    await gate.reports("PHONEA", withTiktok);
    await phone.refresh();
    assert.doesNotMatch(JSON.stringify(await phone.fetch(noticeOn(phone))), /postern\//);
    assert.equal((await ask(`${gate.url}/postern/page.js`)).status, 404);
  });

  test("is not there where the operator has switched it off", async (t) => {
    const gate = await aGate(t, { config: `selfService: { enabled: false }\n${withPages}` });
    const phone = gate.phone();
    await gate.reports("PHONEA", withTiktok);
    await phone.refresh();
    assert.doesNotMatch(JSON.stringify(await phone.fetch(noticeOn(phone))), /postern\//);
    assert.equal((await ask(`${gate.url}/postern/page.js`)).status, 404);
  });
});

test("a letter to the owner has a link to the phone that it is about", async (t) => {
  const smtp = await startSmtpServer();
  t.after(() => smtp.stop());
  const letters = `letters: { smtp: "smtp://127.0.0.1:${smtp.port}" }\n`;
  const gate = await aGate(t, { config: letters + withPages });
  await gate.reports("PHONEA", { ...withTiktok, owner: "alice", email: "alice@corp.example" });
  const message = await eventually(() => {
    const [first] = smtp.messages();
    assert.ok(first !== undefined, "it has come");
    return first.text;
  }, 30_000);
  // Quoted-printable: a long line goes on behind "=".
  const whole = message.replaceAll(/=\r?\n/g, "").replaceAll("=3D", "=");
  const link = /https:\/\/mail\.corp\.example(\/postern\/[A-Za-z0-9._-]+)/.exec(whole)?.[1];
  assert.ok(link !== undefined, whole);
  assert.match(await text(gate.url + link), /<h1[^>]*>Remove <bdi>TikTok/);
  assert.equal((await ask(`${gate.url}${link}/check`, { method: "POST" })).status, 303);
  assert.equal((await createRechecks(gate.store).read(phoneA))?.number, 1);
});

test("a page that is open ends when the program stops, and the stop does not wait for it", async (t) => {
  const gate = await aGate(t, { config: withPages });
  const phone = gate.phone();
  await gate.reports("PHONEA", withTiktok);
  await phone.refresh();
  const page = await follow(t, gate.url + (await linkOn(phone)));
  await page.until("to-do");
  phone.close();
  await gate.app.stop(60_000);
  await eventually(() => assert.equal(page.ended(), true));
});

test("the store is away: the page says so, and when to come again", async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const gate = await aGate(t, { config: withPages, store: await openStore({ redis: { url: redis.url } }) });
  const phone = gate.phone();
  await gate.reports("PHONEA", withTiktok);
  await phone.refresh();
  const url = gate.url + (await linkOn(phone));
  await redis.kill();
  for (const [path, method] of [
    ["", "GET"],
    ["/check", "POST"],
  ]) {
    const answer = await eventually(async () => {
      const said = await ask(`${url}${path}`, { method });
      assert.equal(said.status, 503);
      return said;
    });
    assert.equal(answer.headers["retry-after"], "60");
    assert.match(answer.body.toString(), /One moment, please/);
    assert.doesNotMatch(answer.body.toString(), /TikTok/);
  }
});
