/** What one process remembers of phones and questions, at its limits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAskedIds } from "../../../src/connectors/apple-mdm/asked-ids.ts";
import { createOutstanding, OUTSTANDING_LIMIT } from "../../../src/connectors/apple-mdm/outstanding.ts";

const now = new Date("2026-11-28T12:00:00Z");
const later = (ms: number): Date => new Date(now.getTime() + ms);
const hourMs = 3_600_000;

test("the same apps are the same question, however they are ordered and spelled", () => {
  const asked = createAskedIds();
  const { digest } = asked.question(["com.b", "com.A"]);
  assert.equal(asked.question(["com.a", "com.b", "com.B"]).digest, digest);
  assert.notEqual(asked.question(["com.a"]).digest, digest);
  assert.deepEqual(asked.askedBy(digest), ["com.a", "com.b"]);
});

test("32 questions are remembered, those that were asked last", () => {
  const asked = createAskedIds();
  const digests = Array.from({ length: 33 }, (_, index) => asked.question([`com.app${index}`]).digest);
  assert.equal(asked.askedBy(digests[0] ?? ""), undefined);
  assert.deepEqual(asked.askedBy(digests[1] ?? ""), ["com.app1"]);
  asked.question(["com.app1"]);
  asked.question(["com.another"]);
  assert.deepEqual(asked.askedBy(digests[1] ?? ""), ["com.app1"]);
  assert.equal(asked.askedBy(digests[2] ?? ""), undefined);
});

test("spellings are learnt for what rules speak of, and forgotten with the rule", () => {
  const asked = createAskedIds();
  asked.learn(["com.tiktok"], ["com.TikTok", "com.Other"]);
  assert.deepEqual(asked.question(["com.tiktok"]).identifiers, ["com.tiktok", "com.TikTok"]);
  assert.deepEqual(asked.question(["com.other"]).identifiers, ["com.other"]);
  asked.learn(["com.other"], []);
  assert.deepEqual(asked.question(["com.tiktok"]).identifiers, ["com.tiktok"]);
});

test("a question waits at the server for a day at most, and only while the phone is silent", () => {
  const outstanding = createOutstanding();
  assert.ok(!outstanding.isQueued("phone", "q", now));
  outstanding.asked("phone", "q", ["1", "2"], now);
  assert.ok(outstanding.isQueued("phone", "q", later(24 * hourMs - 1)));
  assert.ok(!outstanding.isQueued("phone", "q", later(24 * hourMs)));
  assert.ok(!outstanding.isQueued("phone", "another", now));
  outstanding.postponed("phone", later(hourMs));
  assert.ok(outstanding.isQueued("phone", "q", later(24 * hourMs)));
  outstanding.answered("phone", "1", later(hourMs));
  assert.ok(!outstanding.isQueued("phone", "q", later(hourMs)));
  assert.ok(outstanding.awaits("phone", "q"));
  outstanding.answered("phone", "2", later(hourMs));
  assert.ok(!outstanding.awaits("phone", "q"));
});

test("whoever makes a phone speak without end has it asked once in two minutes, and not at all once it has answered", () => {
  const outstanding = createOutstanding();
  outstanding.asked("phone", "q", ["1"], now);
  const speaks = [1000, 119_999, 120_000, 120_001, 239_999, 240_000].map((ms) => outstanding.heard("phone", later(ms)));
  assert.deepEqual(speaks, [false, false, true, false, false, true]);
  outstanding.answered("phone", "1", later(240_001));
  assert.ok(!outstanding.heard("phone", later(hourMs)));
});

test("a phone past the last that is remembered is one that was never asked", () => {
  const outstanding = createOutstanding();
  for (let index = 0; index < OUTSTANDING_LIMIT; index += 1) outstanding.asked(String(index), "q", ["1"], now);
  assert.ok(outstanding.isQueued("0", "q", now));
  outstanding.asked("one more", "q", ["1"], now);
  assert.ok(!outstanding.isQueued("0", "q", now));
  assert.ok(outstanding.isQueued("1", "q", now));
  assert.ok(outstanding.heard("0", now));
});
