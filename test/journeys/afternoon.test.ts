/**
 * The whole afternoon: an order for one region, announced, reminded, enforced; a phone that is put in order; the next region;
 * and the order taken back. Two gates, one Redis, a real mail server for letters, and a clock that the test sets.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createMailServer } from "../../src/demo/mail-server.ts";
import { createPhone } from "../../src/phone/phone.ts";
import type { Phone } from "../../src/phone/phone.ts";
import { aConfigDirectory } from "../support/config-directory.ts";
import { eventually } from "../support/eventually.ts";
import { startGates } from "../support/gate-processes.ts";
import { postern } from "../support/postern.ts";
import { startRedis } from "../support/redis-server.ts";
import { startSmtpServer } from "../support/smtp-server.ts";

const people = [
  { name: "alice", region: "US", timezone: "America/New_York", device: "PHONEA", apps: ["com.zhiliaoapp.musically"] },
  { name: "bob", region: "US", timezone: "America/Chicago", device: "PHONEB", apps: ["com.apple.mobilesafari"] },
  { name: "eva", region: "EU", timezone: "Europe/Berlin", device: "PHONEE", apps: ["com.zhiliaoapp.musically"] },
] as const;
type Person = (typeof people)[number];

const tiktok = `id: tiktok
title: TikTok is not permitted on phones that read company mail
require: [{ absent: { name: TikTok, ios: [com.zhiliaoapp.musically] } }]
waves:
  - { audience: { region: US }, announce: 2027-07-10T12:00, deadline: 2027-07-10T23:59, timezone: America/New_York }
  - { audience: { region: EU }, announce: 2027-07-11T09:00, deadline: 2027-07-11T23:59, timezone: owner }
remind: [1h]
`;
/** Letters go out every few seconds, on two cores that other tests use too. */
const patienceMs = 30_000;

test("an order goes out to one region after another, and is taken back", async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const smtp = await startSmtpServer();
  t.after(() => smtp.stop());
  const upstream = createMailServer({
    seed: "test",
    users: people.map(({ name }) => ({
      name,
      password: `${name}-Pw`,
      displayName: name,
      messages: [1, 2].map((number) => ({
        from: "carol@corp.example",
        subject: `Message ${number} for ${name}`,
        text: ".",
        receivedAt: new Date(Date.UTC(2027, 6, 1, 9, number)),
      })),
    })),
  });
  const listening = await upstream.listen();
  t.after(() => listening.close());
  const directory = aConfigDirectory(
    t,
    `upstream: { url: "${listening.url}" }
store: { redis: "${redis.url}" }
notice: { organisation: Example Ltd, from: { name: IT, address: it@corp.example } }
letters: { smtp: "smtp://127.0.0.1:${smtp.port}", perMinute: 60000 }
`,
  );
  const operator = async (...args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await postern(t, [...args, "--config", directory.file]);
    assert.equal(exitCode, 0, stderr);
    return stdout;
  };
  const file = directory.write("tiktok.yaml", tiktok);
  const because = ["--why", "the order of today", "--yes"] as const;

  const { gates, setClock } = await startGates(t, directory.file, 2, new Date("2027-07-10T12:00:00Z"));
  const [one, other] = gates;
  assert.ok(one !== undefined && other !== undefined);
  for (const { name, region, timezone, device, apps } of people) {
    await operator(
      "device",
      "set",
      device,
      `owner=${name}`,
      `email=${name}@corp.example`,
      `region=${region}`,
      `timezone=${timezone}`,
      "platform=ios",
      "appsScope=all",
      `apps=${apps.join(" ")}`,
    );
  }
  const phones = new Map<string, Phone>();
  for (const { name, device } of people) {
    // Each on one of the two gates; the acts and the facts come in elsewhere.
    const { mailUrl } = name === "bob" ? one : other;
    const phone = createPhone({ url: mailUrl, user: name, password: `${name}-Pw`, deviceId: device });
    t.after(() => phone.close());
    phones.set(name, phone);
  }
  const phoneOf = (name: Person["name"]): Phone => {
    const phone = phones.get(name);
    assert.ok(phone !== undefined);
    return phone;
  };
  const inboxOf = async (name: Person["name"]): Promise<string[]> => {
    const phone = phoneOf(name);
    assert.equal((await phone.refresh()).kind, "ok");
    return phone
      .inbox()
      .map(({ subject }) => subject)
      .toSorted();
  };
  const mailOf = (name: string): string[] => [`Message 1 for ${name}`, `Message 2 for ${name}`];
  /** A phone that waits for news while something is done, and hears of it then. */
  const whileWaiting = async (name: Person["name"], work: () => Promise<unknown>): Promise<void> => {
    const before = upstream.parked();
    const ping = phoneOf(name).ping(3540);
    await eventually(async () => {
      const waiting = await Promise.all(gates.map(({ adminUrl }) => waitingAt(adminUrl)));
      assert.ok(upstream.parked() > before || waiting.some((count) => count > 0));
    }, patienceMs);
    await work();
    assert.equal((await ping).kind, "changes", name);
  };
  const letters = (): string[] =>
    smtp.messages().map(({ to, text }) => `${to}: ${/^Subject: (.*)$/m.exec(text)?.[1] ?? ""}`);
  const lettersTo = (name: string): string[] => letters().filter((letter) => letter.startsWith(name));

  // Before: mail flows everywhere.
  for (const { name } of people) assert.deepEqual(await inboxOf(name), mailOf(name));
  assert.match(await operator("campaign", "plan", file), /campaign tiktok: added/);
  await operator("campaign", "apply", file, ...because);
  assert.deepEqual(await inboxOf("alice"), mailOf("alice"), "not announced yet");

  // 12:00 in New York: the announcement, on the phone and by letter.
  await whileWaiting("alice", () => setClock(new Date("2027-07-10T16:00:00Z")));
  const announced = await inboxOf("alice");
  assert.equal(announced.length, 3);
  for (const message of mailOf("alice")) assert.ok(announced.includes(message));
  assert.deepEqual(await inboxOf("bob"), mailOf("bob"));
  assert.deepEqual(await inboxOf("eva"), mailOf("eva"));
  await eventually(() => assert.equal(lettersTo("alice").length, 1), patienceMs);

  // An hour before: the reminder.
  await setClock(new Date("2027-07-11T02:59:30Z"));
  await eventually(() => assert.equal(lettersTo("alice").length, 2), patienceMs);
  assert.equal((await inboxOf("alice")).length, 3);

  // The last minute is the owner's; then the phone that waits is cut, and finds one message.
  await setClock(new Date("2027-07-11T03:59:20Z"));
  assert.equal((await inboxOf("alice")).length, 3);
  await whileWaiting("alice", () => setClock(new Date("2027-07-11T04:00:00Z")));
  const held = await inboxOf("alice");
  assert.equal(held.length, 1);
  assert.match(held[0] ?? "", /TikTok/);
  assert.deepEqual(await inboxOf("bob"), mailOf("bob"), "a clean phone notices nothing");
  assert.match(await operator("device", "why", "PHONEA", "--at", "2027-07-11T04:00Z"), /quarantine app-present/);

  // She removes the app, her phone reports, and her mail is back.
  await whileWaiting("alice", () => operator("device", "set", "PHONEA", "apps=com.apple.mobilesafari"));
  assert.deepEqual(await inboxOf("alice"), mailOf("alice"));

  // Europe, on the owner's own clock: 23:59 in Berlin.
  await whileWaiting("eva", () => setClock(new Date("2027-07-11T07:00:00Z")));
  assert.equal((await inboxOf("eva")).length, 3);
  await whileWaiting("eva", () => setClock(new Date("2027-07-11T22:00:00Z")));
  assert.equal((await inboxOf("eva")).length, 1);
  await eventually(() => assert.ok(lettersTo("eva").length >= 1), patienceMs);

  // It was a mistake: everybody's mail is back, and exactly those who were told are told.
  await whileWaiting("eva", () => operator("campaign", "retract", "tiktok", "--why", "it was a mistake", "--yes"));
  assert.deepEqual(await inboxOf("eva"), mailOf("eva"));
  for (const { name } of people) assert.deepEqual(await inboxOf(name), mailOf(name));
  await eventually(() => {
    for (const name of ["alice", "eva"]) assert.match(lettersTo(name).at(-1) ?? "", /You need not do anything/);
  }, patienceMs);
  assert.deepEqual(lettersTo("bob"), []);
  assert.match(await operator("campaign", "history"), /2 +\S+ \S+ UTC +retract +tiktok +\S+ +it was a mistake/);

  // Upstream never heard a word of it.
  for (const { body } of upstream.journal())
    assert.equal(body?.toString("latin1").includes("{50535451-") ?? false, false);
});

async function waitingAt(adminUrl: string): Promise<number> {
  const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
  return Number(/^postern_waiting_requests (\d+)$/m.exec(metrics)?.[1] ?? 0);
}
