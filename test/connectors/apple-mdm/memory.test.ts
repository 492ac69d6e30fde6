/** What is remembered of phones and questions, and for how long. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAskedIds } from "../../../src/connectors/apple-mdm/asked-ids.ts";
import { createOutstanding } from "../../../src/connectors/apple-mdm/outstanding.ts";
import { aSharedMemory } from "../../support/apple-mdm-site.ts";

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

test("a question waits at the server for a day at most, and until its last answer", async () => {
  const { outstanding, pass } = aMemory();
  assert.ok(await outstanding.begin("phone", "q"));
  pass(24 * hourMs - 1);
  assert.ok(!(await outstanding.begin("phone", "q")), "it only needs to be woken");
  assert.ok(await outstanding.begin("phone", "another"));
  assert.ok(await outstanding.begin("another phone", "q"));
  pass(1);
  assert.ok(await outstanding.begin("phone", "q"));
  assert.ok(await outstanding.awaits("phone", "q"));
  await outstanding.end("phone", "q");
  assert.ok(!(await outstanding.awaits("phone", "q")));
  assert.ok(await outstanding.begin("phone", "q"));
});

test("whoever makes a phone speak without end has it asked once in two minutes, and not at all once it has answered", async () => {
  const { outstanding, pass } = aMemory();
  await outstanding.begin("phone", "q");
  const lost: boolean[] = [];
  for (const ms of [1000, 118_999, 1, 1, 119_998, 1]) {
    pass(ms);
    const isLost = await outstanding.heard("phone", "q");
    if (isLost) assert.ok(await outstanding.begin("phone", "q"), "and then it is asked, not only woken");
    lost.push(isLost);
  }
  assert.deepEqual(lost, [false, false, true, false, false, true]);
  await outstanding.end("phone", "q");
  pass(hourMs);
  assert.ok(!(await outstanding.heard("phone", "q")));
});

test("a phone that nobody remembers is asked when it is heard of: one that is new, that has left, or that was asked a week ago", async () => {
  const { outstanding, pass } = aMemory();
  assert.deepEqual([await outstanding.heard("phone", "q"), await outstanding.heard("phone", "q")], [true, false]);
  await outstanding.forget("phone", "q");
  assert.ok(await outstanding.heard("phone", "q"));
  pass(7 * 24 * hourMs - 1);
  assert.ok(!(await outstanding.heard("phone", "q")));
  pass(1);
  assert.ok(await outstanding.heard("phone", "q"));
});

test("nothing that is remembered names a phone", async () => {
  const { outstanding, words } = aMemory();
  await outstanding.begin("00008030-001A2B3C4D5E002E", "0123456789abcdef");
  assert.equal(words.size, 3);
  for (const word of words.keys()) assert.match(word, /^(asked|quiet|known)\/[0-9a-f]{32}(\/[0-9a-f]{16})?$/);
});

function aMemory() {
  let time = Date.parse("2026-11-28T12:00:00Z");
  const memory = aSharedMemory(() => new Date(time));
  return { outstanding: createOutstanding(memory), words: memory.words, pass: (ms: number) => void (time += ms) };
}
