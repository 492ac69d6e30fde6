/** A phone whose mail flows, and that has the notice among it: upstream never hears of an item that it does not have. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { element } from "../../src/activesync/document.ts";
import { decode, encode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import type { UpstreamAnswer } from "../../src/gateway/protocol.ts";
import { inbox, projects, textsIn } from "../support/activesync-documents.ts";
import { aHeldPhone, answerFrom, documentFrom, passedFrom } from "../support/remediation.ts";

const ofTheGate = `${inbox}:2000000001`;
const mail = `${inbox}:9`;

function move(...items: readonly string[]): Element {
  return element(
    "Move:MoveItems",
    items.map((item) =>
      element(
        "Move:Move",
        element("Move:SrcMsgId", item),
        element("Move:SrcFldId", inbox),
        element("Move:DstFldId", projects),
      ),
    ),
  );
}

function fetch(...items: readonly string[]): Element {
  return element(
    "ItemOperations:ItemOperations",
    items.map((item) =>
      element(
        "ItemOperations:Fetch",
        element("ItemOperations:Store", "Mailbox"),
        element("AirSync:CollectionId", inbox),
        element("AirSync:ServerId", item),
      ),
    ),
  );
}

const answerOf = (document: Element | undefined, httpStatus = 200): UpstreamAnswer => ({
  httpStatus,
  headers: new Map(),
  body: document === undefined ? new Uint8Array() : encode(document),
});
const moved = element(
  "Move:MoveItems",
  element(
    "Move:Response",
    element("Move:SrcMsgId", mail),
    element("Move:Status", "3"),
    element("Move:DstMsgId", `${projects}:4`),
  ),
);

suite("a phone moves the notice", () => {
  test("together with a message: the message moves, the notice stays, and upstream hears of the message alone", async () => {
    const phone = aHeldPhone({ upstream: () => answerOf(moved) });
    const answer = documentFrom(await phone.ask("MoveItems", move(mail, ofTheGate), { allowed: true }));
    assert.deepEqual(phone.forwarded, [decode(encode(move(mail)))]);
    assert.deepEqual(textsIn(answer, "Move:SrcMsgId"), [mail, ofTheGate]);
    assert.deepEqual(textsIn(answer, "Move:Status"), ["3", "1"]);
  });
  test("alone: upstream hears nothing", async () => {
    const answer = documentFrom(await aHeldPhone().ask("MoveItems", move(ofTheGate), { allowed: true }));
    assert.deepEqual(textsIn(answer, "Move:Status"), ["1"]);
  });
  test("together with a message, while upstream cannot answer: nothing is said to have moved", async () => {
    const phone = aHeldPhone({ upstream: () => answerOf(undefined, 503) });
    const answer = answerFrom(await phone.ask("MoveItems", move(mail, ofTheGate), { allowed: true }));
    assert.deepEqual([answer.httpStatus, answer.body], [503, undefined]);
  });
  test("together with a message, and upstream answers with something else: it is not passed on as its answer", async () => {
    const phone = aHeldPhone({ upstream: () => answerOf(element("Ping:Ping")) });
    await assert.rejects(phone.ask("MoveItems", move(mail, ofTheGate), { allowed: true }), {
      code: "upstream-answer-refused",
    });
  });
  test("not at all: the request goes as it is", async () => {
    const reply = passedFrom(await aHeldPhone().ask("MoveItems", move(mail), { allowed: true }));
    assert.deepEqual(decode(Buffer.from(reply.body ?? "")), decode(encode(move(mail))));
  });
});

suite("a phone fetches the notice", () => {
  test("together with a message: upstream is asked for the message alone", async () => {
    const reply = passedFrom(await aHeldPhone().ask("ItemOperations", fetch(mail, ofTheGate), { allowed: true }));
    assert.deepEqual(decode(Buffer.from(reply.body ?? "")), decode(encode(fetch(mail))));
  });
  test("which it still shows after its quarantine: it is not there any more", async () => {
    const answer = documentFrom(await aHeldPhone().ask("ItemOperations", fetch(ofTheGate), { allowed: true }));
    assert.deepEqual(textsIn(answer, "ItemOperations:Status"), ["1", "6"]);
    assert.deepEqual(textsIn(answer, "AirSync:ServerId"), [ofTheGate]);
  });
});
