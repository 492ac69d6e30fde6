/** What `device why` prints, as somebody on the telephone reads it. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { explain } from "../../src/campaign/explanation.ts";
import type { ExplanationQuestion } from "../../src/campaign/explanation.ts";
import { explanationText } from "../../src/cli/why-text.ts";
import { parseVersionRange } from "../../src/policy/version.ts";
import { aCampaign, aLastRequest, anApp, aPolicy, aRecord, deviceId, tiktok } from "../support/records.ts";

const noon = new Date("2026-11-20T12:00:00Z");
const hours = (count: number): Date => new Date(noon.getTime() + count * 3_600_000);
const ban = aCampaign({ deadline: hours(24), graceHours: 48, graceFor: ["newly-seen"], remindMinutes: [600] });
const range = parseVersionRange(">=26.2");
assert.ok(range !== undefined);
const update = aCampaign({
  id: "update",
  title: "Update",
  requirements: [{ kind: "os", minimum: new Map([["ios", range]]), securityPatch: undefined }],
  deadline: hours(48),
});

function why(parts: Partial<ExplanationQuestion> = {}): string {
  const record = aRecord({ id: deviceId("APPLF2"), owner: "alice", deviceAt: hours(-3), appsAt: hours(-30) });
  const question: ExplanationQuestion = {
    tried: [deviceId("APPLF2"), deviceId("4150504C4632")],
    id: deviceId("APPLF2"),
    record,
    person: undefined,
    policy: aPolicy({ campaigns: [ban] }),
    policyPlace: "store",
    policyVersion: 7,
    lastRequests: [],
    at: noon,
    ...parts,
  };
  return explanationText(explain(question), noon);
}

suite("why, in words", () => {
  const phone = (parts: Parameters<typeof aRecord>[0] = {}) =>
    aRecord({ id: deviceId("APPLF2"), owner: "alice", apps: [tiktok], ...parts });

  test("begins with the request that was seen last, then with whoever else came with the id", () => {
    const base = { id: deviceId("APPLF2"), action: "quarantine", reason: "app-present", state: "non-compliant" };
    const text = why({
      lastRequests: [
        aLastRequest({
          ...base,
          at: hours(-2),
          spellings: [deviceId("4150504C4632"), deviceId("APPLF2")],
          queryForm: "base64",
        }),
        aLastRequest({
          ...base,
          at: hours(-72),
          whose: "somebody-else",
          account: "eve\u001b[2J",
          command: "Ping",
          reason: "owner-mismatch",
        }),
      ],
    });
    assert.equal(
      text.slice(0, text.indexOf("\n\n")),
      `last request
  when     2026-11-20 10:00 UTC, 2 h ago
  who      alice
  what     Sync, version 14.1
  id sent  4150504C4632, in a base64 query; the gate tried APPLF2 too
  phone    iPhone, Apple-iPhone14C5/2307.77
  answer   quarantine app-present (non-compliant)
  also 3 d ago: eve\uFFFD[2J, whom the record does not name: Ping, quarantine owner-mismatch (non-compliant)`,
    );
  });

  test("says of a request that says little what it does not say, and where the gate found no record", () => {
    const silent = { queryForm: undefined, version: undefined, deviceType: undefined, program: undefined };
    const request = aLastRequest({
      ...silent,
      at: noon,
      whose: "stranger",
      account: "",
      reason: "not-enrolled",
      state: "not-enrolled",
    });
    const text = why({ record: undefined, lastRequests: [request] });
    assert.match(text, /^last request\n {2}when {5}2026-11-20 12:00 UTC, just now\n/);
    assert.match(
      text,
      /\n {2}who {6}a credential that names nobody; the gate found no record\n {2}what {5}Sync, no version said\n/,
    );
    assert.match(text, /\n {2}id sent {2}PHONE1\n {2}phone {4}-\n {2}answer {3}allow not-enrolled\n/);
  });

  test("a phone that is clean", () => {
    const text = why();
    assert.match(
      text,
      /^last request {2}none that the mail server has accepted, as far as is remembered\n\nAPPLF2 {2}allow compliant/,
    );
    assert.match(text, /\n {2}policy {6}version 7\n {2}ids {9}APPLF2; tried 4150504C4632 too\n/);
    assert.match(
      text,
      /\n {2}source {6}test, last report 3 h ago\n {2}apps {8}0 reported, 30 h ago, the source sees all\n/,
    );
    assert.match(text, /\n {2}first seen {2}not noted yet\n/);
    assert.match(text, /\nMail flows\.$/);
  });

  test("a phone in grace because it was seen first lately: since when, and until when", () => {
    const text = why({ record: phone({ firstSeenAt: hours(-1) }) });
    assert.match(text, /\n {2}first seen {2}2026-11-20 11:00 UTC\n/);
    assert.match(
      text,
      /\n {2}wave 1, announced, enforced from 2026-11-22 11:01 UTC: with grace, newly seen 2026-11-20 11:00 UTC\n/,
    );
    // Not the reminder, which comes first and changes nothing.
    assert.match(text, /\nNext: 2026-11-22 11:01 UTC → quarantine app-present \(non-compliant\)\nMail flows\.\n/);
    assert.match(text, /\nBefore 2026-11-22 11:01 UTC: remove the app and let the phone report, or an exemption\.$/);
  });

  test("a phone that is held by one campaign and told by another: what helps now, and what by when", () => {
    const text = why({
      record: phone({ osVersion: "26.1", firstSeenAt: "earlier" }),
      policy: aPolicy({ campaigns: [ban, update] }),
      at: hours(25),
    });
    assert.match(text, /\n {2}first seen {2}before anybody noted it\n/);
    assert.match(text, /\n {2}wave 1, enforced since 2026-11-21 12:01 UTC\n {2}quarantine app-present: TikTok/);
    assert.match(
      text,
      /\n {2}wave 1, announced, enforced from 2026-11-22 12:01 UTC\n {2}warn in-grace: 26\.1, asked 26\.2/,
    );
    assert.match(
      text,
      /\nTime alone changes nothing\.\nWhat helps: remove the app[^\n]*\.\nBefore 2026-11-22 12:01 UTC: update the phone and let it report\.$/,
    );
  });

  test("a phone that is excused, one that an operator blocks, and campaigns that say nothing", () => {
    const who = { owners: ["alice"], groups: [], devices: [] };
    const exemptions = [{ id: "travel", who, campaign: undefined, until: hours(100), reason: "travels", by: "bob" }];
    const paused = aCampaign({ id: "paused", mode: "paused" });
    const text = why({ record: phone(), at: hours(25), policy: aPolicy({ campaigns: [ban, paused], exemptions }) });
    assert.match(text, /\nthe policy itself\n {2}allow exempted: exemption travel; until 2026-11-24 16:00 UTC\n/);
    assert.match(
      text,
      /\n {2}not asked: what the policy itself says comes first\n\ncampaign paused \(paused\): [^\n]*\n {2}says nothing\n/,
    );
    assert.match(text, /\nNext: 2026-11-24 16:00 UTC → quarantine app-present/);
    const override = { action: "block", why: "stolen", who: "eve", until: undefined } as const;
    assert.match(
      why({ record: phone({ override }) }),
      /\nWhat helps: take the override back: device set APPLF2 override=\.$/,
    );
  });

  test("a phone that no source knows is judged for whoever came with it", () => {
    const campaign = aCampaign({ audience: { regions: ["US"] } });
    const text = why({
      record: undefined,
      policy: aPolicy({ campaigns: [campaign] }),
      lastRequests: [aLastRequest({ id: deviceId("APPLF2"), whose: "stranger", account: "bob" })],
    });
    assert.match(text, /\nAPPLF2 {2}quarantine not-enrolled\n {2}judged {2}2026-11-20 12:00 UTC, for bob\n/);
    assert.match(text, /\n {2}record {2}none: no source has reported it\n/);
    assert.match(text, /\n {2}no wave is for phones without a record\n/);
    assert.match(text, /\nWhat helps: enrol the phone, or an exemption from everything\.$/);
  });

  test("a record that was found by an alias, and one of which a part cannot be read", () => {
    const record = phone({
      id: deviceId("CANON"),
      apps: undefined,
      faults: [{ field: "apps", problem: "is not valid JSON" }],
    });
    const text = why({ id: deviceId("CANON"), record, policyPlace: "nowhere", policyVersion: undefined });
    assert.match(text, /\n {2}policy {6}none\n {2}ids {9}CANON, by an alias; tried APPLF2, 4150504C4632 too\n/);
    assert.match(text, /\n {2}apps {8}a list that cannot be read, the source sees all\n/);
    assert.match(text, /\n! apps is not valid JSON\n/);
    assert.match(
      why({ record: phone({ apps: undefined, appsScope: undefined, source: undefined }) }),
      /no list, nobody says what the source can see/,
    );
    assert.match(why({ record: phone({ apps: [anApp("a.b")] }) }), /1 reported, the source sees all/);
  });
});
