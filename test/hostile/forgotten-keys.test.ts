/** A phone sends a sync key of the gate's own, and nothing that the gate remembers says that it has one. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import http from "node:http";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { element } from "../../src/activesync/document.ts";
import { decode, encode } from "../../src/activesync/wbxml.ts";
import type { JournalEntry } from "../../src/demo/journal.ts";
import { answered, estimateOf, folderSync, inbox, sync, syncOf, textsIn } from "../support/activesync-documents.ts";
import { eventually } from "../support/eventually.ts";
import { aGate, clean } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { aServer, ask } from "../support/http.ts";
import { basic, keysUpstream, mark, post, target } from "./wire.ts";

const ours = "{50535451-0123-4567-89ab-0123456789ab}10002";

suite("a phone of which nobody remembers that it holds keys of ours", () => {
  /** It is clean, and nothing of ours was ever given to it. */
  async function open(t: TestContext): Promise<Gate> {
    const gate = await aGate(t);
    await gate.reports("PHONEA", clean);
    return gate;
  }
  test("starts the folder anew, as it would if it were remembered", async (t) => {
    const gate = await open(t);
    const answer = await post(gate, "Sync", sync({ key: ours, id: inbox }, { key: "77", id: "9" }));
    assert.equal(answer.status, 200);
    assert.deepEqual(decode(answer.body), syncOf([answered("0", inbox, "3")]));
    assert.deepEqual(keysUpstream(gate), []);
  });
  test("is not told that a folder has news under such a key", async (t) => {
    const gate = await open(t);
    const estimate = estimateOf([element("AirSync:SyncKey", ours), element("GetItemEstimate:CollectionId", inbox)]);
    const answer = await post(gate, "GetItemEstimate", estimate);
    assert.deepEqual(textsIn(decode(answer.body), "GetItemEstimate:Status"), ["4"]);
    assert.deepEqual(keysUpstream(gate), []);
  });
  test("asks for the list of its folders anew", async (t) => {
    const gate = await open(t);
    const answer = await post(gate, "FolderSync", folderSync(ours));
    assert.deepEqual(textsIn(decode(answer.body), "FolderHierarchy:Status"), ["9"]);
    assert.deepEqual(keysUpstream(gate), []);
  });
  test("is refused a key in a place where it does not belong", async (t) => {
    const gate = await open(t);
    const created = element("FolderHierarchy:FolderCreate", element("FolderHierarchy:SyncKey", ours));
    assert.equal((await post(gate, "FolderCreate", created)).status, 400);
    const search = element("Search:Search", element("Search:Store", element("AirSync:SyncKey", ours)));
    assert.equal((await post(gate, "Search", search)).status, 400);
    assert.deepEqual(keysUpstream(gate), []);
  });
  test("says who it is before it hears anything", async (t) => {
    const gate = await open(t);
    const answer = await post(gate, "Sync", sync({ key: ours, id: inbox }), { password: "wrong" });
    assert.equal(answer.status, 401);
    assert.deepEqual(keysUpstream(gate), []);
  });
  test("hears the same when it packs its request, or sends it in chunks", async (t) => {
    const gate = await open(t);
    const request = encode(sync({ key: ours, id: inbox }));
    const packed = await post(gate, "Sync", gzipSync(request), { headers: { "Content-Encoding": "gzip" } });
    const chunked = await ask(gate.url + target("Sync"), {
      method: "POST",
      headers: {
        Authorization: basic(),
        "MS-ASProtocolVersion": "14.1",
        "Content-Type": "application/vnd.ms-sync.wbxml",
        "Transfer-Encoding": "chunked",
      },
      body: request,
    });
    for (const answer of [packed, chunked]) assert.deepEqual(decode(answer.body), syncOf([answered("0", inbox, "3")]));
    assert.deepEqual(keysUpstream(gate), []);
  });
  test("hears the same with a large upload behind its key", async (t) => {
    const gate = await open(t);
    const photo = element("AirSync:Add", element("AirSync:ApplicationData", Buffer.alloc(500_000)));
    const answer = await post(gate, "Sync", sync({ key: ours, id: "9", commands: [photo] }));
    assert.deepEqual(decode(answer.body), syncOf([answered("0", "9", "3")]));
    assert.deepEqual(keysUpstream(gate), []);
  });
  test("has its own key of the mail server taken up as ever", async (t) => {
    const gate = await open(t);
    const phone = gate.phone();
    await phone.refresh();
    assert.equal(phone.inbox().length, 3);
  });
});

suite("a key behind a large upload", () => {
  const photo = element("AirSync:Add", element("AirSync:ApplicationData", Buffer.alloc(500_000)));
  const upload = encode(sync({ key: "77", id: "9", commands: [photo] }, { key: ours, id: inbox }));
  const marked = upload.indexOf(mark);
  // In one piece, cut in the middle of the mark, before its last byte, and behind it.
  for (const cut of [0, marked + 4, marked + mark.length - 1, marked + mark.length]) {
    test(`is refused before its mark is complete upstream, when it is cut at byte ${cut - marked} of it`, async (t) => {
      let received = Buffer.alloc(0);
      let ended = false;
      const upstream = await aServer(t, (req, res) => {
        req.on("data", (chunk: Buffer) => {
          received = Buffer.concat([received, chunk]);
        });
        req.on("end", () => {
          ended = true;
          res.end();
        });
        req.on("error", () => undefined);
      });
      const gate = await aGate(t, { upstream: upstream.url });
      await gate.reports("PHONEA", clean);
      const request = http.request(gate.url + target("Sync"), {
        method: "POST",
        headers: {
          Authorization: basic(),
          "MS-ASProtocolVersion": "14.1",
          "Content-Type": "application/vnd.ms-sync.wbxml",
          "Content-Length": upload.byteLength,
        },
      });
      const answered = new Promise<number | undefined>((resolve, reject) => {
        request.on("error", reject);
        request.on("response", (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        });
      });
      request.write(upload.subarray(0, cut));
      if (cut > 0 && cut < marked + mark.length) await eventually(() => assert.equal(received.byteLength, cut));
      request.end(upload.subarray(cut));
      assert.equal(await answered, 400);
      assert.equal(ended, false, "upstream acts upon what has no end no more than upon what never came");
      assert.equal(received.includes(mark), false);
    });
  }
});

suite("a mail that quotes a key is sent", () => {
  const quoting = Buffer.from(`From: alice@demo.example\r\nTo: bob@demo.example\r\nSubject: a log\r\n\r\n${ours}\r\n`);
  test("as the mail itself, up to 12.1", async (t) => {
    const gate = await aGate(t);
    await gate.reports("PHONEA", clean);
    const answer = await post(gate, "SendMail", quoting, {
      headers: { "Content-Type": "message/rfc822", "MS-ASProtocolVersion": "12.1" },
    });
    assert.equal(answer.status, 200);
    assert.equal(keysUpstream(gate).length, 1);
  });
  test("in a document, from 14.0", async (t) => {
    const gate = await aGate(t);
    await gate.reports("PHONEA", clean);
    const answer = await post(
      gate,
      "SendMail",
      element("ComposeMail:SendMail", element("ComposeMail:ClientId", "1"), element("ComposeMail:Mime", quoting)),
    );
    assert.equal(answer.status, 200);
    assert.equal(answer.body.byteLength, 0, "an empty answer: it was sent");
  });
  test("and so is one of twenty megabytes, which is not kept", async (t) => {
    let received = 0;
    const upstream = await aServer(t, (req, res) => {
      req.on("data", (chunk: Buffer) => {
        received += chunk.byteLength;
      });
      req.on("end", () => res.end());
    });
    const gate = await aGate(t, { upstream: upstream.url });
    await gate.reports("PHONEA", clean);
    const mime = Buffer.alloc(20 * 1_048_576, quoting);
    const body = encode(element("ComposeMail:SendMail", element("ComposeMail:Mime", mime)));
    assert.equal((await post(gate, "SendMail", body)).status, 200);
    assert.equal(received, body.byteLength);
  });
});

test("a body that is packed and too large to be looked at is asked for as it is", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEA", clean);
  const packed = gzipSync(randomBytes(200_000));
  const answer = await post(gate, "SendMail", packed, { headers: { "Content-Encoding": "gzip" } });
  assert.equal(answer.status, 415);
  assert.deepEqual(upstreamPosts(gate), []);
});

test("a packed body goes up as what was looked at, and not as it came", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEA", clean);
  const request = folderSync("0");
  const answer = await post(gate, "FolderSync", gzipSync(encode(request)), {
    headers: { "Content-Encoding": "gzip" },
  });
  assert.equal(answer.status, 200);
  const [seen] = upstreamPosts(gate);
  assert.deepEqual(seen?.root, request);
  assert.ok(!seen.rawHeaders.some((name) => name.toLowerCase() === "content-encoding"));
});

function upstreamPosts({ upstream }: Gate): JournalEntry[] {
  return upstream.journal().filter(({ method }) => method === "POST");
}
