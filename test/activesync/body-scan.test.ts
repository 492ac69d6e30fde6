/** The body of a request that is let through: it is what its URL says, and no key of ours is in it, however it is spelled. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { createBodyScan } from "../../src/activesync/body-scan.ts";
import { commandNamed } from "../../src/activesync/commands.ts";
import { element, isElement, textOf } from "../../src/activesync/document.ts";
import { bearsMark } from "../../src/activesync/gateway-key.ts";
import { decode, encode, WbxmlError } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { Refusal } from "../../src/gateway/errors.ts";
import { estimateOf, folderSync, inbox, sync, vector } from "../support/activesync-documents.ts";
import { captures } from "../support/captures.ts";
import { anyDocument, mutantOf, nearlyDocument } from "../support/wbxml-documents.ts";

const wbxml = "application/vnd.ms-sync.wbxml";
const ours = "{50535451-0123-4567-89ab-0123456789ab}10002";
const theirs = "{2e535483-2d97-4116-8c0c-a255593acf7e}10002";

interface Asked {
  readonly command?: string;
  readonly contentType?: string | undefined;
  /** Where the body is cut into pieces. */
  readonly cuts?: readonly number[];
}

/** What is said of a body: `clean`, `ours`, or why it is refused. */
function said(body: Uint8Array, { command = "Sync", cuts = [], ...rest }: Asked = {}): string {
  const scan = createBodyScan(commandNamed(command), "contentType" in rest ? rest.contentType : wbxml);
  const ends = [...new Set([...cuts, body.length])].toSorted((a, b) => a - b);
  let from = 0;
  try {
    for (const to of ends) {
      if (scan(body.subarray(from, to)) === "ours") return "ours";
      from = to;
    }
    return "clean";
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    assert.equal(error.httpStatus, 400);
    return error.message;
  }
}

/** A Sync of one folder whose key is what these bytes say. */
const syncWith = (keyContent: string): Buffer =>
  Buffer.from(vector(`03016a00 45 5c 4f 4b ${keyContent} 01 01 01 01`), "hex");
const hexOf = (text: string): string => Buffer.from(text).toString("hex");
const string = (text: string): string => `03 ${hexOf(text)} 00`;
const opaque = (text: string): string => `c3 ${text.length.toString(16).padStart(2, "0")} ${hexOf(text)}`;

const spellings: readonly (readonly [spelling: string, keyContent: string])[] = [
  ["as text", string(ours)],
  ["as bytes", opaque(ours)],
  ["as two texts", string(ours.slice(0, 5)) + string(ours.slice(5))],
  ["as text and bytes", string(ours.slice(0, 9)) + opaque(ours.slice(9))],
  ["letter by letter", ours.split("").map(string).join("")],
  ["byte by byte", ours.split("").map(opaque).join("")],
  ["with nothing in between", string("{505") + string("") + opaque("") + string(ours.slice(4))],
  ["behind something else", string(`0${ours}`)],
  ["behind half of itself", string(`{5053{50535451-${ours.slice(10)}`)],
  ["behind white space", string(` \n${ours}`)],
  ["and no more than its mark", string("{50535451-")],
];

suite("a key of ours is found", () => {
  for (const [spelling, keyContent] of spellings) {
    test(spelling, () => {
      const body = syncWith(keyContent);
      assert.equal(said(body), "ours");
      for (let cut = 0; cut <= body.length; cut += 1)
        assert.equal(said(body, { cuts: [cut] }), "ours", `cut at ${cut}`);
      assert.equal(said(body, { cuts: Array.from(body.keys()) }), "ours", "cut everywhere");
    });
  }
  test("before the byte goes on that completes its mark", () => {
    const body = syncWith(string(ours));
    const completed = body.indexOf("{50535451-") + "{50535451-".length;
    const scan = createBodyScan("Sync", wbxml);
    assert.equal(scan(body.subarray(0, completed - 1)), "clean");
    assert.equal(scan(body.subarray(completed - 1, completed)), "ours");
  });
  test("in every command that has keys, and in one that has none", () => {
    assert.equal(said(encode(folderSync(ours)), { command: "FolderSync" }), "ours");
    const estimate = estimateOf([element("AirSync:SyncKey", ours), element("GetItemEstimate:CollectionId", inbox)]);
    assert.equal(said(encode(estimate), { command: "GetItemEstimate" }), "ours");
    const created = element("FolderHierarchy:FolderCreate", element("FolderHierarchy:SyncKey", ours));
    assert.equal(said(encode(created), { command: "FolderCreate" }), "ours");
    const found = element("Search:Search", element("Search:Store", element("AirSync:SyncKey", ours)));
    assert.equal(said(encode(found), { command: "Search" }), "ours");
  });
  test("in the last of many folders, behind all that the others upload", () => {
    const photo = element("AirSync:Change", element("AirSync:ApplicationData", Buffer.alloc(100_000, ours)));
    const upload = sync({ key: theirs, id: "7", commands: [photo] }, { key: ours, id: inbox });
    assert.equal(said(encode(upload), { cuts: [1000, 50_000, 99_000, 100_100] }), "ours");
  });
});

suite("what could spell a key in yet another way is refused", () => {
  const refused: readonly (readonly [spelling: string, body: Buffer, why: string])[] = [
    ["an entity", syncWith("02 7b"), "wbxml: token-refused"],
    ["a literal", syncWith("04 00"), "wbxml: token-refused"],
    ["an extension", syncWith(`40 ${hexOf(ours)} 00`), "wbxml: token-refused"],
    ["a processing instruction", syncWith("43 05 01"), "wbxml: token-refused"],
    ["a reference to a string table", syncWith("83 00"), "wbxml: token-refused"],
    ["an extension without a string", syncWith("c0"), "wbxml: token-refused"],
    ["a tag with attributes", syncWith("8b 05 01"), "wbxml: attributes-refused"],
    ["an element in the key", syncWith(`${string("{5053")} 05 ${string("5451-")}`), "wbxml: text-refused"],
    ["a NUL in the key", syncWith("c3 02 7b 00"), "wbxml: text-refused"],
    ["a brace in two bytes", syncWith("03 c1 bb 35 30 00"), "wbxml: text-refused"],
    ["a brace in three bytes", syncWith("03 e0 81 bb 35 30 00"), "wbxml: text-refused"],
    ["a brace in four bytes", syncWith("03 f0 80 81 bb 35 30 00"), "wbxml: text-refused"],
    ["a length with leading zeros", syncWith("c3 80 02 7b 35"), "wbxml: integer-refused"],
    ["a length that does not end", syncWith("c3 81 81 81 81 81 01"), "wbxml: integer-refused"],
    ["two page switches", syncWith("00 00 00 07 05"), "wbxml: page-switch-misplaced"],
    ["a second document", Buffer.concat([encode(sync()), encode(sync({ key: ours }))]), "wbxml: trailing-bytes"],
    ["a string table", Buffer.from(vector(`03016a 2c ${hexOf(ours)} 00 45`), "hex"), "wbxml: string-table-refused"],
    ["another character set", Buffer.from(vector(`030104 00 45`), "hex"), "wbxml: header-refused"],
    ["another version", Buffer.from(vector(`02016a 00 45`), "hex"), "wbxml: header-refused"],
    ["a text before the root", Buffer.from(vector(`03016a00 ${string(ours)}`), "hex"), "wbxml: token-refused"],
    ["too many elements within each other", Buffer.from(`03016a00${"45".repeat(40)}`, "hex"), "wbxml: too-deep"],
  ];
  for (const [spelling, body, why] of refused) {
    test(spelling, () => {
      assert.equal(said(body), why);
      assert.equal(said(body, { cuts: Array.from(body.keys()) }), why, "in pieces of one byte");
    });
  }
});

suite("what is no key goes up", () => {
  const quoting = Buffer.from(`Subject: my log\r\n\r\n${ours}\r\n`);
  test("a mail text that quotes one, from its first line on", () => {
    for (const command of ["SendMail", "SmartReply", "SmartForward"]) {
      for (const contentType of ["message/rfc822", "Message/RFC822; charset=utf-8", undefined]) {
        assert.equal(said(quoting, { command, contentType }), "clean");
        assert.equal(said(Buffer.from(ours), { command, contentType }), "clean");
      }
    }
  });
  test("a mail in a document that quotes one", () => {
    const mail = element("ComposeMail:SendMail", element("ComposeMail:Mime", quoting));
    assert.equal(said(encode(mail), { command: "SendMail" }), "clean");
  });
  test("a contact, a note or a search for one", () => {
    const named = element("AirSync:Add", element("AirSync:ApplicationData", element("Contacts:FirstName", ours)));
    assert.equal(said(encode(sync({ key: theirs, id: "9", commands: [named] }))), "clean");
    const search = element("Search:Search", element("Search:Store", element("Search:Query", ours)));
    assert.equal(said(encode(search), { command: "Search" }), "clean");
  });
  test("a key of the mail server that looks nearly like ours", () => {
    for (const key of [
      theirs,
      "0",
      "1",
      "50535451-1",
      "{5053545}1",
      "{50535452-0123-4567-89ab-0123456789ab}1",
      "schlüssel",
    ])
      assert.equal(said(encode(sync({ key, id: inbox }))), "clean", key);
  });
  test("a text that is no UTF-8, where it is no key", () => {
    assert.equal(said(Buffer.from(vector("03016a00 45 5c 4f 52 03 ed a0 80 00 01 01 01 01"), "hex")), "clean");
  });
  test("every request of a real client", () => {
    const requests = captures.filter(({ direction }) => direction === "request");
    assert.ok(requests.length > 80);
    for (const { bytes, command, file } of requests) {
      assert.equal(said(bytes, { command }), "clean", file);
      assert.equal(said(bytes, { command, cuts: Array.from(bytes.keys()) }), "clean", file);
    }
  });
});

suite("a body that is not what its URL says is refused", () => {
  const contradiction = "root of the body is not the command of the URL";
  test("whatever the two are", () => {
    for (const command of ["Ping", "Settings", "SendMail", "GetItemEstimate", "GetAttachment", "Find", "NotYetKnown"])
      assert.equal(said(encode(sync({ key: "0", id: inbox })), { command }), contradiction, command);
    assert.equal(said(encode(folderSync("0"))), contradiction);
  });
  test("but a command that nobody knows may have a document that nobody knows", () => {
    assert.equal(said(encode(element("254:0x05")), { command: "NotYetKnown" }), "clean");
    assert.equal(said(encode(element("254:0x05"))), contradiction);
  });
  test("and so is a text where a document should be", () => {
    const text = Buffer.from("Subject: x\r\n\r\n");
    for (const command of ["Sync", "GetAttachment", "NotYetKnown"])
      assert.equal(said(text, { command, contentType: "message/rfc822" }), "wbxml: header-refused", command);
    // To a server that goes by the Content-Type it is a document, whose first byte is a version that does not exist.
    assert.equal(said(text, { command: "SendMail" }), "wbxml: header-refused");
    assert.equal(said(text, { command: "SendMail", contentType: "text/plain" }), "wbxml: header-refused");
  });
  test("while a document under the name of a mail is read as the document that it is", () => {
    assert.equal(said(encode(sync()), { command: "SendMail", contentType: "message/rfc822" }), contradiction);
  });
});

suite("for any document", () => {
  const runs = { numRuns: 5000 };
  const keys = fc.constantFrom<Element["tag"]>(
    "AirSync:SyncKey",
    "FolderHierarchy:SyncKey",
    "AirSync:Collection",
    "Email:To",
  );
  const syncOfAny = anyDocument(keys).map((part) => encode(element("AirSync:Sync", part)));
  const real = fc.constantFrom(
    ...captures.filter(({ command, direction }) => command === "Sync" && direction === "request"),
  );
  const bytes = fc.oneof(
    syncOfAny,
    nearlyDocument(),
    real.chain((capture) => mutantOf(capture.bytes)),
  );

  test("where it is cut into pieces changes nothing", () => {
    fc.assert(
      fc.property(bytes, fc.array(fc.nat()), (body, cuts) => {
        const whole = said(body);
        assert.equal(said(body, { cuts: cuts.map((cut) => cut % (body.length + 1)) }), whole);
      }),
      runs,
    );
  });

  test("what is clean has no key of ours, and what has one is not clean", () => {
    fc.assert(
      fc.property(bytes, (body) => {
        const document = decoded(body);
        if (document === undefined) return;
        const answer = said(body);
        const found = keysIn(document);
        if (answer === "clean") assert.ok(!found.some(bearsOurMark));
        else if (answer === "ours") assert.ok(found.some(bearsOurMark));
        else if (document.tag === "AirSync:Sync") assert.ok(found.some(isNoText), answer);
      }),
      runs,
    );
  });
});

suite("a mail that answers another", () => {
  const item = `${inbox}:2000000001`;
  /** A SmartReply about the item that these bytes name. */
  const replyTo = (itemContent: string, tail = ""): Buffer =>
    Buffer.from(vector(`03016a00 00 15 47 4b 4d ${itemContent} 01 01 ${tail} 01`), "hex");
  const asked: Asked = { command: "SmartReply" };

  test("to an item of ours is found, however its name is spelled and wherever the body is cut", () => {
    for (const content of [
      string(item),
      opaque(item),
      string(item.slice(0, 4)) + opaque(item.slice(4)),
      item.split("").map(string).join(""),
    ]) {
      const body = replyTo(content);
      assert.equal(said(body, asked), "ours", content);
      for (let cut = 0; cut <= body.length; cut += 1) assert.equal(said(body, { ...asked, cuts: [cut] }), "ours");
      const every = Array.from(body.keys());
      assert.equal(said(body, { ...asked, cuts: every }), "ours", "byte by byte");
    }
  });

  test("to any other is none of ours, and neither is what it quotes", () => {
    for (const other of [`${inbox}:9`, "2000000001", `${inbox}:2000005000`, `${inbox}:02000000001`, `${item}x`])
      assert.equal(said(replyTo(string(other)), asked), "clean", other);
    const mime = `50 ${string(item)} 01`;
    assert.equal(said(replyTo(string(`${inbox}:9`), mime), asked), "clean");
    assert.equal(said(replyTo(string("x".repeat(200) + item)), asked), "clean");
    assert.equal(said(replyTo(string(`${"x".repeat(149)}:2000000001`)), asked), "ours", "160 characters");
    assert.equal(said(replyTo(string(`${"x".repeat(150)}:2000000001`)), asked), "clean", "161 characters");
  });

  test("is ours where the query says so, whatever its body; of other commands the query says nothing", () => {
    const mail = Buffer.from("Subject: a\r\n\r\nb");
    for (const command of ["SmartReply", "SmartForward"])
      assert.equal(createBodyScan(commandNamed(command), "message/rfc822", item)(mail), "ours");
    assert.equal(createBodyScan(commandNamed("SmartReply"), "message/rfc822", `${inbox}:9`)(mail), "clean");
    assert.equal(createBodyScan(commandNamed("SendMail"), "message/rfc822", item)(mail), "clean");
  });
});

function decoded(body: Uint8Array): Element | undefined {
  try {
    return decode(body);
  } catch (error) {
    if (error instanceof WbxmlError) return undefined;
    throw error;
  }
}

/** Every sync key, however deep. */
function keysIn(document: Element): Element[] {
  const inside = document.content.filter(isElement).flatMap(keysIn);
  return document.tag.endsWith(":SyncKey") ? [document, ...inside] : inside;
}

function bearsOurMark(key: Element): boolean {
  return bearsMark(key.content.map((part) => (isElement(part) ? "" : Buffer.from(part).toString("latin1"))).join(""));
}

function isNoText(key: Element): boolean {
  try {
    textOf(key);
    return false;
  } catch (error) {
    if (error instanceof WbxmlError) return true;
    throw error;
  }
}
