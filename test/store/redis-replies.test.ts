import assert from "node:assert/strict";
import { test } from "node:test";
import { describe, isFromReplica, isSilence, throwFirst, toStored, tracksFor } from "../../src/store/redis-replies.ts";
import type { Reply } from "../../src/store/redis-replies.ts";
import { StoreUnavailable } from "../../src/store/store.ts";

/** As ioredis makes them. */
function refusal(message: string): Reply {
  const error = new Error(message);
  error.name = "ReplyError";
  return [error];
}

test("what the server repeats of a command is not told", () => {
  const message = "ERR unknown command 'HGETALL', with args beginning with: 'postern:device:ABC123' ";
  assert.equal(describe(new Error(message)), "ERR unknown command 'HGETALL'");
});

test("a failure without words is told by its code", () => {
  assert.equal(describe(Object.assign(new AggregateError([]), { code: "ECONNREFUSED" })), "ECONNREFUSED");
  assert.equal(describe("thrown text"), "the connection failed");
});

test("a hash is fields, an empty one is absent, a string is an alias, and another type cannot be read", () => {
  assert.deepEqual(toStored([null, { owner: "alice" }]), { kind: "fields", fields: new Map([["owner", "alice"]]) });
  assert.deepEqual(toStored([null, {}]), { kind: "absent" });
  assert.deepEqual(toStored([null, null]), { kind: "absent" });
  assert.deepEqual(toStored([null, "ABC"]), { kind: "fields", fields: new Map([["id", "ABC"]]) });
  assert.equal(toStored(refusal("WRONGTYPE Operation against a key")).kind, "unreadable");
  for (const message of ["LOADING Redis is loading", "MOVED 5 10.0.0.1:6379", "NOPERM", "CLUSTERDOWN", "MASTERDOWN"]) {
    assert.throws(() => toStored(refusal(message)), StoreUnavailable, message);
    assert.throws(() => throwFirst([[null, 1], refusal(message)]), StoreUnavailable, message);
  }
});

test("a refusal is an answer, a timeout is none", () => {
  assert.equal(isSilence(refusal("READONLY You can't write")), false);
  assert.equal(isSilence([new Error("Command timed out")]), true);
  assert.equal(isSilence([null, "OK"]), false);
  assert.equal(isFromReplica(refusal("READONLY You can't write against a read only replica.")), true);
  assert.equal(isFromReplica(refusal("ERR")), false);
});

test("tracking counts only where it is broadcast, to us, and unbroken", () => {
  const info = (flags: unknown, redirect: unknown): unknown => ["flags", flags, "redirect", redirect, "prefixes", []];
  assert.equal(tracksFor(7, info(["on", "bcast"], 7)), true);
  for (const other of [
    info(["on", "bcast"], 8),
    info(["on", "bcast"], -1),
    info(["on"], 7),
    info(["off"], -1),
    info(["on", "bcast", "broken_redirect"], 7),
    info("bcast", 7),
    [],
    "OK",
    undefined,
  ]) {
    assert.equal(tracksFor(7, other), false);
  }
});
