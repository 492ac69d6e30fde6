/** A phone that asks for two languages at once: in the plain query by Accept-Language, in the base64 query by a number. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { languages } from "../../src/notice/languages.ts";
import type { Phone, PhoneOptions } from "../../src/phone/phone.ts";
import type { PhoneState } from "../../src/phone/state.ts";
import { aGate, withTiktok } from "../support/gate.ts";
import type { Gate, GateOptions } from "../support/gate.ts";
import { deviceId } from "../support/records.ts";

const start = new Date("2026-11-24T08:00:00Z");
const day = 86_400_000;
const warned = `
campaigns:
  - id: tiktok
    title: TikTok is not permitted on phones that read company mail
    require:
      - absent: { name: TikTok, ios: [com.zhiliaoapp.musically] }
    waves: [{ deadline: "2026-12-24T12:00", timezone: UTC }]
`;
/** English by its number, which is all that most phones send, and another one by its name. */
const inEnglish = { queryForm: "base64", acceptLanguage: "en" } as const;
const other = languages.at(-1)?.tag ?? "en";
const inAnother = { queryForm: "plain", acceptLanguage: other } as const;

/** One phone with two ways to ask. */
async function aBilingualPhone(t: TestContext, options: GateOptions) {
  const gate = await aGate(t, options);
  await gate.reports("PHONEA", withTiktok);
  let state: PhoneState | undefined;
  const visit = async (how: Partial<PhoneOptions>): Promise<Phone> => {
    const phone = gate.phone({ protocolVersion: "14.1", ...how, ...(state === undefined ? {} : { state }) });
    for (let time = 0; time < 2; time += 1) assert.equal((await phone.refresh()).kind, "ok");
    state = phone.state();
    return phone;
  };
  return { gate, visit };
}

const noticeOf = (phone: Phone) => phone.inbox().filter(({ from }) => from.address === "it@corp.example");

async function told({ store }: Gate) {
  const { mailbox } = await store.facts([deviceId("PHONEA")], "alice");
  return mailbox.notice;
}

for (const [title, config] of [
  ["in quarantine", {}],
  ["before the deadline", { config: warned }],
] as const) {
  test(`has one notice in one language, and has the other one a day later: ${title}`, async (t) => {
    let at = start;
    const { gate, visit } = await aBilingualPhone(t, { ...config, now: () => at });
    const first = noticeOf(await visit(inEnglish));
    assert.equal(first.length, 1);
    for (const how of [inAnother, inEnglish, inAnother]) assert.deepEqual(noticeOf(await visit(how)), first);
    assert.deepEqual(await told(gate), { revision: 1, digest: (await told(gate))?.digest, language: "en", at: start });

    at = new Date(start.getTime() + day);
    const next = noticeOf(await visit(inAnother));
    assert.equal((await told(gate))?.language, other);
    for (const how of [inEnglish, inAnother]) assert.deepEqual(noticeOf(await visit(how)), next);
  });
}

test("a waiting request in another language is not sent to look", async (t) => {
  const { gate, visit } = await aBilingualPhone(t, { now: () => start });
  await visit(inEnglish);
  const phone = await visit(inAnother);
  const pinged = phone.ping(480);
  await gate.whenWaiting(1);
  await gate.reports("PHONEA", { ...withTiktok, locale: other });
  await gate.whenWaiting(1);
  await gate.reports("PHONEA", { apps: "[]" });
  const outcome = await pinged;
  assert.ok(outcome.kind === "changes" && outcome.folders.length > 1, "it ended because the phone was let through");
});
