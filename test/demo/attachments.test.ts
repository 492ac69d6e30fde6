import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { children, element } from "../../src/activesync/document.ts";
import { decode, type Element } from "../../src/activesync/wbxml.ts";
import { attachmentOf, generatedAttachment } from "../../src/demo/message.ts";
import { aMailServer, aPhone, at, basic, inbox, textAt, type WireAnswer } from "./wire.ts";

const mail = { from: "carol@demo.example", subject: "A table", text: "See the table." };
const fiveMebibytes = 5 * 1024 * 1024;

function fetchItem(serverId: string, folderId = inbox, type = "1"): Element {
  return element(
    "ItemOperations:ItemOperations",
    element(
      "ItemOperations:Fetch",
      element("ItemOperations:Store", "Mailbox"),
      element("AirSync:CollectionId", folderId),
      element("AirSync:ServerId", serverId),
      element("ItemOperations:Options", element("AirSyncBase:BodyPreference", element("AirSyncBase:Type", type))),
    ),
  );
}

function fetchAttachment(...references: readonly string[]): Element {
  return element(
    "ItemOperations:ItemOperations",
    references.map((reference) =>
      element(
        "ItemOperations:Fetch",
        element("ItemOperations:Store", "Mailbox"),
        element("AirSyncBase:FileReference", reference),
      ),
    ),
  );
}

const fetchPath = ["ItemOperations:Response", "ItemOperations:Fetch"] as const;

function readParts(body: Buffer): readonly Buffer[] {
  return Array.from({ length: body.readUInt32LE(0) }, (_, index) => {
    const offset = body.readUInt32LE(4 + index * 8);
    return body.subarray(offset, offset + body.readUInt32LE(8 + index * 8));
  });
}

test("a message in MIME is the whole message, attachments included, and the same each time", async (t) => {
  const server = await aMailServer(t);
  const id = server.deliver("alice", {
    ...mail,
    html: "<p>See</p>",
    attachments: [attachmentOf("t.csv", "text/csv", "1;2")],
  });
  const phone = aPhone(server);
  const first = await phone.post(fetchItem(id, inbox, "4"));
  const source = textAt(first.root, ...fetchPath, "ItemOperations:Properties", "AirSyncBase:Body", "AirSyncBase:Data");
  for (const part of ["multipart/mixed", "multipart/alternative", "text/html", 'filename="t.csv"', "MTsy"]) {
    assert.ok(source.includes(part), part);
  }
  assert.deepEqual((await phone.post(fetchItem(id, inbox, "4"))).body, first.body);
});

test("attachments come in base64 inside the document, at any size, and what does not exist is Status 15", async (t) => {
  const server = await aMailServer(t);
  const large = generatedAttachment("large.csv", fiveMebibytes + 1);
  const id = server.deliver("alice", { ...mail, attachments: [attachmentOf("a", "text/plain", "hello"), large] });
  const answer = await aPhone(server).post(fetchAttachment(`${id}:0`, `${id}:1`, `${id}:2`, "nonsense"));
  assert.equal(answer.headers["content-type"], "application/vnd.ms-sync.wbxml");
  const fetched = children(at(answer.root, "ItemOperations:Response"), "ItemOperations:Fetch");
  assert.deepEqual(
    fetched.map((one) => textAt(one, "ItemOperations:Status")),
    ["1", "1", "15", "15"],
  );
  const [small, big] = fetched
    .slice(0, 2)
    .map((one) => textAt(one, "ItemOperations:Properties", "ItemOperations:Data"));
  assert.equal(Buffer.from(small ?? "", "base64").toString(), "hello");
  assert.ok(Buffer.from(big ?? "", "base64").equals(Buffer.concat([...large.chunks()])));
});

test("a multipart answer carries bodies and attachments as bytes", async (t) => {
  const server = await aMailServer(t);
  const large = generatedAttachment("large.csv", fiveMebibytes);
  const id = server.deliver("alice", { ...mail, attachments: [large] });
  const phone = aPhone(server, { headers: { "MS-ASAcceptMultiPart": "T" } });
  const both = element("ItemOperations:ItemOperations", fetchItem(id).content, fetchAttachment(`${id}:0`).content);
  const answer = await phone.post(both);
  assert.equal(answer.headers["content-type"], "application/vnd.ms-sync.multipart");
  const [document, text, bytes] = readParts(answer.body);
  assert.equal(text?.toString(), mail.text);
  assert.ok(bytes?.equals(Buffer.concat([...large.chunks()])));
  const fetched = children(at(decode(document ?? Buffer.alloc(0)), "ItemOperations:Response"), "ItemOperations:Fetch");
  const [item, file] = fetched.map((one) => at(one, "ItemOperations:Properties"));
  assert.equal(textAt(item ?? element("AirSync:Add"), "AirSyncBase:Body", "ItemOperations:Part"), "1");
  assert.equal(textAt(file ?? element("AirSync:Add"), "ItemOperations:Part"), "2");

  const alone = readParts((await phone.post(fetchItem("5:99"))).body);
  assert.equal(alone.length, 1, "the wrapper stays, even without a part");
});

test("up to 12.1 an attachment is an answer of its own", async (t) => {
  const server = await aMailServer(t);
  const id = server.deliver("alice", { ...mail, attachments: [attachmentOf("a.txt", "text/plain", "hello")] });
  const get = (name: string, version: string): Promise<WireAnswer> =>
    aPhone(server, { version }).post(undefined, { command: "GetAttachment", query: `&AttachmentName=${name}` });
  const answer = await get(encodeURIComponent(`${id}:0`), "12.1");
  assert.deepEqual([answer.headers["content-type"], answer.body.toString()], ["text/plain", "hello"]);
  assert.equal((await get("5%3A99%3A0", "12.1")).httpStatus, 404);
  assert.equal((await get(encodeURIComponent(`${id}:0`), "14.1")).httpStatus, 501);
});

test("a reader that is slow makes the server wait, not hold the attachment", async (t) => {
  const server = await aMailServer(t);
  let made = 0;
  const sizeBytes = 64 * 1024 * 1024;
  const chunk = Buffer.alloc(65_536);
  const endless = {
    name: "endless",
    contentType: "application/octet-stream",
    sizeBytes,
    *chunks() {
      for (; made < sizeBytes; made += chunk.length) yield chunk;
    },
  };
  const id = server.deliver("alice", { ...mail, attachments: [endless] });
  await new Promise<void>((resolve, reject) => {
    const path = `/Microsoft-Server-ActiveSync?Cmd=GetAttachment&User=alice&DeviceId=A&DeviceType=T&AttachmentName=${id}:0`;
    const headers = { Authorization: basic("alice", "alice-demo"), "MS-ASProtocolVersion": "12.1" };
    const request = http.request(server.url, { method: "POST", path, headers, agent: false }, (response) => {
      response.once("data", () => {
        response.pause();
        response.destroy();
        resolve();
      });
    });
    request.on("error", reject);
    request.end();
  });
  assert.equal(server.journal().at(-1)?.failure, undefined);
  assert.ok(made < sizeBytes / 2, `${made} bytes were made for a reader that took one chunk`);
});
