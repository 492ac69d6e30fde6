/** The verdict changes while upstream holds a request: no byte of mail comes after it, however the request was worded. */
import assert from "node:assert/strict";
import http from "node:http";
import type { ServerResponse } from "node:http";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { element } from "../../src/activesync/document.ts";
import { encode } from "../../src/activesync/wbxml.ts";
import { change, collection, heartbeat, inbox, optional, ping, syncOf, wait } from "../support/activesync-documents.ts";
import { eventually } from "../support/eventually.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { aServer } from "../support/http.ts";
import type { TestServer } from "../support/http.ts";
import { deviceId } from "../support/records.ts";
import { aSwitchedStore, basic, post, target } from "./wire.ts";

const lateMail = "MAIL THAT CAME AFTER THE VERDICT";
/** The promise is one second. */
const promiseMs = 1000;

interface Holding {
  readonly gate: Gate;
  readonly upstream: TestServer;
  readonly held: () => ServerResponse;
  /** Resolves when upstream has the request. */
  readonly whenHeld: () => Promise<void>;
}

interface Download {
  readonly received: () => number;
  readonly ended: Promise<"whole" | "cut">;
  pause(): void;
  resume(): void;
}

/** A phone that counts what comes, until it has all or the connection breaks. */
function downloading(gate: Gate): Download {
  let received = 0;
  let incoming: http.IncomingMessage | undefined;
  const ended = new Promise<"whole" | "cut">((resolve) => {
    const request = http.request(
      gate.url + target("ItemOperations"),
      { method: "POST", headers: { Authorization: basic(), "MS-ASProtocolVersion": "14.1" } },
      (answer) => {
        incoming = answer;
        answer.on("data", (chunk: Buffer) => {
          received += chunk.byteLength;
        });
        answer.on("end", () => resolve("whole"));
        answer.on("error", () => resolve("cut"));
      },
    );
    request.on("error", () => resolve("cut"));
    request.end();
  });
  return {
    received: () => received,
    ended,
    pause: () => void incoming?.pause(),
    resume: () => void incoming?.resume(),
  };
}

/** A gate in front of a server that holds whatever is no OPTIONS, and a phone that is clean so far. */
async function holding(t: TestContext): Promise<Holding> {
  let held: ServerResponse | undefined;
  const upstream = await aServer(t, (req, res) => {
    req.resume();
    if (req.method === "OPTIONS") res.end();
    else held = res;
  });
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("PHONEA", clean);
  return {
    gate,
    upstream,
    held(): ServerResponse {
      if (held === undefined) throw new Error("nothing is held");
      return held;
    },
    whenHeld: () => eventually(() => assert.ok(held !== undefined)),
  };
}

const options = [element("AirSync:MIMESupport", "2")];
const inInbox = { key: "{00000000-0000-4000-8000-000000000000}5", id: inbox, options };

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

suite("what a new verdict does not take away goes on", () => {
  const download = encode(element("ItemOperations:ItemOperations", optional("ItemOperations:Status", "1")));
  test("a download of a phone that stays clean", async (t) => {
    const { gate, held, whenHeld } = await holding(t);
    const answered = post(gate, "ItemOperations", download);
    await whenHeld();
    await gate.reports("PHONEA", { ...clean, apps: '["com.apple.mobilesafari","com.apple.news"]' });
    // Longer than the time in which what is taken away may still be finished.
    await setTimeout(promiseMs);
    held().end(lateMail);
    assert.equal((await answered).body.toString(), lateMail);
  });
  test("what upstream has nearly done", async (t) => {
    const { gate, held, whenHeld } = await holding(t);
    const answered = post(gate, "ItemOperations", download);
    await whenHeld();
    await gate.reports("PHONEA", withTiktok);
    held().end("nearly done");
    assert.equal((await answered).body.toString(), "nearly done");
  });
  test("a download of a phone whose verdict was taken back at once", async (t) => {
    const { gate, held, whenHeld } = await holding(t);
    const answered = post(gate, "ItemOperations", download);
    await whenHeld();
    await gate.reports("PHONEA", withTiktok);
    await gate.reports("PHONEA", clean);
    await setTimeout(promiseMs);
    held().end(lateMail);
    assert.equal((await answered).body.toString(), lateMail);
  });
  test("a download of another phone", async (t) => {
    const { gate, held, whenHeld } = await holding(t);
    const answered = post(gate, "ItemOperations", download);
    await whenHeld();
    await gate.reports("PHONEB", withTiktok);
    await setTimeout(promiseMs);
    held().end(lateMail);
    assert.equal((await answered).body.toString(), lateMail);
  });
  test("a download of a phone about which nothing can be known any more", async (t) => {
    const { store, goAway } = await aSwitchedStore();
    let held: ServerResponse | undefined;
    const upstream = await aServer(t, (req, res) => {
      req.resume();
      held = res;
    });
    const gate = await aGate(t, { upstream: upstream.url, store });
    await gate.reports("PHONEA", clean);
    const answered = post(gate, "ItemOperations", download);
    await eventually(() => assert.ok(held !== undefined));
    goAway();
    // Only a change makes the gate ask, and it gets no answer.
    await gate.reports("PHONEA", withTiktok);
    await setTimeout(promiseMs);
    held?.end(lateMail);
    assert.equal((await answered).body.toString(), lateMail);
  });
});

suite("a mail that is being sent when the verdict changes", () => {
  const mail = Buffer.alloc(2 * 1_048_576, "a mail of many lines\r\n");
  const half = mail.byteLength / 2;
  async function sending(t: TestContext): Promise<{
    readonly gate: Gate;
    readonly upstream: TestServer;
    readonly request: http.ClientRequest;
    /** The HTTP status. */
    readonly answered: Promise<number | undefined>;
    readonly received: () => number;
    readonly ended: () => "whole" | "broken" | undefined;
  }> {
    let ended: "whole" | "broken" | undefined;
    let received = 0;
    const upstream = await aServer(t, (req, res) => {
      req.on("data", (chunk: Buffer) => {
        received += chunk.byteLength;
      });
      req.on("end", () => {
        ended = "whole";
        res.end();
      });
      req.on("error", () => {
        ended = "broken";
      });
      if (req.method === "OPTIONS") res.end();
    });
    const gate = await aGate(t, { upstream: upstream.url });
    await gate.reports("PHONEA", clean);
    const request = http.request(gate.url + target("SendMail"), {
      method: "POST",
      headers: {
        Authorization: basic(),
        "MS-ASProtocolVersion": "12.1",
        "Content-Type": "message/rfc822",
        "Content-Length": mail.byteLength,
      },
    });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      request.on("error", reject);
      request.on("response", (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
    });
    return { gate, request, answered, upstream, received: () => received, ended: () => ended };
  }
  test("stays in the phone's outbox: upstream gets no end of it, and the phone is told to come again", async (t) => {
    const { gate, request, answered, received, ended } = await sending(t);
    request.write(mail.subarray(0, half));
    await eventually(() => assert.equal(received(), half));
    await gate.reports("PHONEA", withTiktok);
    await eventually(() => assert.equal(ended(), "broken"));
    request.end(mail.subarray(half));
    assert.equal(await answered, 503);
    assert.equal(received(), half);
  });
  test("never begins upstream where too little of it had come", async (t) => {
    const { gate, request, answered, upstream } = await sending(t);
    request.write(mail.subarray(0, 100));
    await eventually(async () => {
      const metrics = await (await fetch(`${gate.app.admin.url}/metrics`)).text();
      assert.match(metrics, /^postern_decision_duration_seconds_count 1$/m);
    });
    await gate.reports("PHONEA", withTiktok);
    request.end(mail.subarray(100));
    assert.equal(await answered, 503);
    assert.deepEqual(upstream.seen, []);
  });
});

suite("a request whose body carries another command than its URL", () => {
  const waiting = encode(syncOf([collection(inInbox)], wait("10")));
  // Some servers run the one and some the other; what is watched, learnt and taken back here goes by the URL. So it is not held
  // upstream in the first place.
  for (const command of ["Settings", "SendMail", "FolderSync", "GetAttachment", "Ping", "Xyz"]) {
    test(`is refused where the URL says ${command}`, async (t) => {
      const { gate, upstream } = await holding(t);
      const answer = await post(gate, command, waiting);
      assert.equal(answer.status, 400);
      assert.deepEqual(upstream.seen, []);
    });
  }
  test("is refused when it is packed, or as large as a mail", async (t) => {
    const { gate, upstream } = await holding(t);
    const packed = await post(gate, "Settings", gzipSync(waiting), { headers: { "Content-Encoding": "gzip" } });
    assert.equal(packed.status, 400);
    const photo = element("AirSync:Change", element("AirSync:ApplicationData", Buffer.alloc(200_000)));
    const large = await post(gate, "Settings", syncOf([collection({ ...inInbox, commands: [photo] })]));
    assert.equal(large.status, 400);
    assert.deepEqual(upstream.seen, []);
  });
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
