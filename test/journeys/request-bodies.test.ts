/** Bodies as they come over HTTP to a phone's gate in quarantine: packed, too large once unpacked, and answered in parts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { element } from "../../src/activesync/document.ts";
import { decode, encode } from "../../src/activesync/wbxml.ts";
import { post } from "../hostile/wire.ts";
import { sync, textsIn } from "../support/activesync-documents.ts";
import { aGate, withTiktok } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";

const inbox = { key: "1-5", id: "5", options: [element("AirSync:MIMESupport", "0")] };
const plain = encode(sync(inbox));

async function aGateInQuarantine(t: TestContext): Promise<Gate> {
  const gate = await aGate(t);
  await gate.reports("PHONEA", withTiktok);
  return gate;
}

test("a packed request is answered like the same one that is not packed", async (t) => {
  const gate = await aGateInQuarantine(t);
  const expected = await post(gate, "Sync", plain);
  assert.equal(expected.status, 200);
  assert.deepEqual(textsIn(decode(expected.body), "AirSync:Status"), ["3"]);
  for (const coding of ["gzip", "GZIP", "x-gzip"]) {
    const answer = await post(gate, "Sync", gzipSync(plain), { headers: { "Content-Encoding": coding } });
    assert.equal(answer.status, 200, coding);
    assert.deepEqual(answer.body, expected.body);
    // A phone that did not start anew would be taken to go in circles.
    assert.equal((await post(gate, "Sync", sync({ ...inbox, key: "0" }))).status, 200);
  }
});

test("a packed request may unpack to a megabyte, and one byte more is refused", async (t) => {
  const gate = await aGateInQuarantine(t);
  const packedTo = (size: number): Promise<{ readonly status: number }> => {
    const filler = (length: number) => sync({ ...inbox, options: [element("AirSync:Class", "x".repeat(length))] });
    const rest = encode(filler(1)).byteLength - 1;
    const body = encode(filler(size - rest));
    assert.equal(body.byteLength, size);
    return post(gate, "Sync", gzipSync(body), { headers: { "Content-Encoding": "gzip" } });
  };
  assert.equal((await packedTo(1_048_576)).status, 200);
  assert.equal((await packedTo(1_048_577)).status, 400);
});

test("a body that is not what its coding says is refused, and so is a coding that phones do not use", async (t) => {
  const gate = await aGateInQuarantine(t);
  for (const [coding, body, status] of [
    ["gzip", plain, 400],
    ["gzip", gzipSync(plain).subarray(0, 20), 400],
    ["deflate", deflateSync(plain), 415],
    ["gzip, gzip", gzipSync(gzipSync(plain)), 415],
  ] as const) {
    const answer = await post(gate, "Sync", body, { headers: { "Content-Encoding": coding } });
    assert.equal(answer.status, status, coding);
  }
  assert.deepEqual(
    gate.upstream.journal().filter(({ method }) => method !== "OPTIONS"),
    [],
  );
});

test("the notice comes as a part of its own to a phone that takes several", async (t) => {
  const gate = await aGateInQuarantine(t);
  const phone = gate.phone();
  await phone.refresh();
  const [message] = phone.inbox();
  assert.ok(message !== undefined);
  const fetch = element(
    "ItemOperations:ItemOperations",
    element(
      "ItemOperations:Fetch",
      element("ItemOperations:Store", "Mailbox"),
      element("AirSync:CollectionId", message.folder),
      element("AirSync:ServerId", message.id),
    ),
  );
  const { headers, body } = await post(gate, "ItemOperations", fetch, { headers: { "MS-ASAcceptMultiPart": "T" } });
  assert.equal(headers["content-type"], "application/vnd.ms-sync.multipart");
  assert.equal(body.readInt32LE(0), 2);
  const part = (index: number): Buffer => {
    const offset = body.readInt32LE(4 + 8 * index);
    return body.subarray(offset, offset + body.readInt32LE(8 + 8 * index));
  };
  assert.deepEqual(textsIn(decode(part(0)), "ItemOperations:Part"), ["1"]);
  assert.match(part(1).toString("utf8"), /TikTok/);
  const fetched = await phone.fetch(message);
  assert.ok(fetched.kind === "ok");
  assert.equal(part(1).toString("utf8"), fetched.body.data);
});
