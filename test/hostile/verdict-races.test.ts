/** The verdict changes while upstream holds a request: no byte of mail comes after it, however the request was worded. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { element } from "../../src/activesync/document.ts";
import { encode } from "../../src/activesync/wbxml.ts";
import { change, collection, heartbeat, inbox, optional, ping, syncOf, wait } from "../support/activesync-documents.ts";
import { eventually } from "../support/eventually.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import { aServer } from "../support/http.ts";
import { deviceId } from "../support/records.ts";
import { downloading, holding, inInbox, lateMail, promiseMs } from "./holding.ts";
import { post } from "./wire.ts";

interface Held {
  readonly title: string;
  readonly command: string;
  readonly body: Buffer | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

const requests: readonly Held[] = [
  { title: "a Sync that waits", command: "Sync", body: encode(syncOf([collection(inInbox)], wait("10"))) },
  { title: "an empty Sync", command: "Sync", body: undefined },
  { title: "a Ping", command: "Ping", body: encode(ping("480", [inbox, "Email"])) },
  { title: "an empty Ping", command: "Ping", body: undefined },
  {
    title: "a Sync that waits and uploads",
    command: "Sync",
    body: encode(syncOf([collection({ ...inInbox, commands: [change("5:1")] })], wait("10"))),
  },
  {
    title: "a Sync that waits, compressed",
    command: "Sync",
    body: gzipSync(encode(syncOf([collection(inInbox)], wait("10")))),
    headers: { "Content-Encoding": "gzip" },
  },
  {
    title: "a Sync that says twice how long it waits",
    command: "Sync",
    body: encode(syncOf([collection(inInbox)], wait("10"), heartbeat("600"))),
  },
  {
    title: "a Sync that waits for a second less than a minute",
    command: "Sync",
    body: encode(syncOf([collection(inInbox)], heartbeat("59"))),
  },
  {
    title: "a Sync of a folder of which nothing is known",
    command: "Sync",
    body: encode(syncOf([collection({ key: "5", id: "99" })], wait("10"))),
  },
  {
    title: "a Sync that names its folders twice",
    command: "Sync",
    body: encode(
      element("AirSync:Sync", element("AirSync:Collections", collection(inInbox)), element("AirSync:Collections")),
    ),
  },
  {
    title: "a download that upstream is slow to begin",
    command: "ItemOperations",
    body: encode(element("ItemOperations:ItemOperations", optional("ItemOperations:Status", "1"))),
  },
];

suite("mail that comes after the verdict does not come through", () => {
  for (const { title, command, body, headers = {} } of requests) {
    test(title, async (t) => {
      const { gate, held, whenHeld } = await holding(t);
      const answered = post(gate, command, body, { headers }).then(
        ({ body: received }) => received.toString("latin1"),
        () => "cut",
      );
      await whenHeld();
      await gate.reports("PHONEA", withTiktok);
      await Promise.race([answered, setTimeout(promiseMs)]);
      if (!held().destroyed) held().end(lateMail);
      assert.notEqual(await answered, lateMail);
    });
  }
});

test("an answer that is on its way when the verdict changes is cut within the promise", async (t) => {
  const { gate, held, whenHeld } = await holding(t);
  const download = downloading(gate);
  await whenHeld();
  held().writeHead(200, { "Content-Length": "2000" });
  held().write(Buffer.alloc(1000, "a"));
  await eventually(() => assert.equal(download.received(), 1000));
  await gate.reports("PHONEA", withTiktok);
  const first = await Promise.race([download.ended, setTimeout(promiseMs, "still running")]);
  if (!held().destroyed) held().end(Buffer.alloc(1000, "b"));
  await download.ended;
  assert.equal(first, "cut");
  assert.equal(download.received(), 1000);
});

test("an answer of which only the head is known is cut as well", async (t) => {
  const { gate, held, whenHeld } = await holding(t);
  const answered = post(gate, "ItemOperations", undefined).then(
    ({ body }) => body.toString(),
    () => "cut",
  );
  await whenHeld();
  held().writeHead(200, { "Content-Length": String(lateMail.length), "Content-Encoding": "identity" });
  held().flushHeaders();
  await gate.reports("PHONEA", withTiktok);
  const first = await Promise.race([answered, setTimeout(promiseMs, "still running")]);
  if (!held().destroyed) held().end(lateMail);
  assert.doesNotMatch(await answered, /MAIL/);
  assert.notEqual(first, "still running");
});

test("mail that waits in the gate for a phone which does not read is thrown away", async (t) => {
  const { gate, held, whenHeld } = await holding(t);
  const download = downloading(gate);
  await whenHeld();
  held().writeHead(200, { "Content-Length": String(64 * 1_048_576) });
  held().write(Buffer.alloc(1000, "a"));
  await eventually(() => assert.equal(download.received(), 1000));
  download.pause();
  held().write(Buffer.alloc(16 * 1_048_576, "b"));
  await gate.reports("PHONEA", withTiktok);
  await eventually(() => assert.ok(held().destroyed));
  download.resume();
  assert.equal(await download.ended, "cut");
  assert.ok(download.received() < 1_048_576, `${download.received()} bytes came all the same`);
});

test("a request without an exact answer is told to come again, in words that name nobody", async (t) => {
  const { gate, whenHeld } = await holding(t);
  const upload = encode(syncOf([collection({ ...inInbox, commands: [change("5:1")] })], wait("10")));
  const answered = post(gate, "Sync", upload);
  await whenHeld();
  await gate.reports("PHONEA", withTiktok);
  const { status, headers, body } = await answered;
  assert.equal(status, 503);
  assert.equal(headers["retry-after"], "5");
  assert.doesNotMatch(body.toString(), /TikTok|PHONEA|alice|quarantine/i);
});

test("a verdict that changes between two requests of one connection counts for the second", async (t) => {
  const upstream = await aServer(t, (req, res) => {
    req.resume();
    res.end(req.method === "OPTIONS" ? "" : lateMail);
  });
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("PHONEA", clean);
  const first = await post(gate, "Search", undefined);
  assert.equal(first.body.toString(), lateMail);
  await gate.reports("PHONEA", withTiktok);
  for (const command of ["Sync", "Ping", "Search", "ItemOperations", "GetAttachment", "SmartReply", "Find", "Xyz"]) {
    const answer = await post(gate, command, undefined, { headers: { Connection: "keep-alive" } });
    assert.doesNotMatch(answer.body.toString(), /MAIL/, command);
  }
  assert.equal(upstream.seen.filter(({ method }) => method === "POST").length, 1);
});

test("a verdict that changes in the moment of the request is noticed", async (t) => {
  // The change is written while the request is under way from the client to its place upstream, at every stage of it.
  for (let round = 0; round < 30; round += 1) {
    const { gate, held, whenHeld } = await holding(t);
    const answered = post(gate, "Sync", encode(syncOf([collection(inInbox)], wait("10")))).then(
      ({ body }) => body.toString("latin1"),
      () => "cut",
    );
    if (round % 3 > 0) await setTimeout(round / 3);
    await gate.store.writeFields(deviceId("PHONEA"), { set: new Map(Object.entries(withTiktok)), remove: [] });
    const first = await Promise.race([answered, setTimeout(promiseMs, "still held")]);
    if (first === "still held") {
      await whenHeld();
      held().end(lateMail);
    }
    assert.notEqual(await answered, lateMail, `round ${round}`);
    assert.notEqual(first, "still held", `round ${round}`);
  }
});
