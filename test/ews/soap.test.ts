import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { HEAD_LIMIT_CHARACTERS, MAILBOXES_LIMIT, readSoap } from "../../src/ews/soap.ts";
import type { SoapMessage } from "../../src/ews/soap.ts";
import { DEPTH_LIMIT, TAG_LIMIT_CHARACTERS } from "../../src/xml/read-xml.ts";
import { asOutlookForMac, ewsRequest, ewsRequests } from "../support/ews-requests.ts";

const soap = "http://schemas.xmlsoap.org/soap/envelope/";
const messages = "http://schemas.microsoft.com/exchange/services/2006/messages";
const types = "http://schemas.microsoft.com/exchange/services/2006/types";

const read = (text: string): SoapMessage | "unreadable" => readSoap(Buffer.from(text));
const getItem = ewsRequest("GetItem").body;
const readsGetItem = {
  operation: "GetItem",
  serverVersion: { name: "Exchange2013_SP1", major: 15, minor: 0 },
  mailboxes: 0,
};

suite("the operation and the version of a request", () => {
  for (const { operation, from, version, body } of ewsRequests) {
    test(`${operation} of ${from}`, () => {
      const message = read(body);
      assert.ok(message !== "unreadable");
      assert.match(message.operation ?? "", new RegExp(`^${operation}(Request)?$`));
      assert.equal(message.serverVersion?.name, version);
      assert.equal(message.mailboxes, operation === "GetUserAvailability" ? 2 : 0);
    });
  }

  test("a byte order mark of UTF-8 changes nothing", () => {
    assert.deepEqual(read(`\ufeff${getItem}`), readsGetItem);
  });

  test("what follows the name of the operation is not read", () => {
    assert.deepEqual(read(`${getItem.slice(0, getItem.indexOf("<ItemShape>"))}<!DOCTYPE &x; <<`), readsGetItem);
  });

  test("only the versions that there are: what a client writes is repeated", () => {
    for (const version of ["", "Exchange2099", "exchange2010", 'Exchange2010"/><x', "__proto__", "V2017_07_11 "]) {
      const message = read(
        getItem.replace("Exchange2013_SP1", version.replaceAll('"', "&quot;").replaceAll("<", "&lt;")),
      );
      assert.ok(message !== "unreadable");
      assert.equal(message.serverVersion, undefined, version);
      assert.equal(message.operation, "GetItem");
    }
  });
});

suite("a name is what its namespace says, not its prefix", () => {
  const unnamed: readonly (readonly [title: string, body: string])[] = [
    ["an operation of nobody", `<e:Envelope xmlns:e="${soap}"><e:Body><GetItem/></e:Body></e:Envelope>`],
    [
      "an operation of somebody else",
      `<e:Envelope xmlns:e="${soap}"><e:Body><m:GetItem xmlns:m="urn:x"/></e:Body></e:Envelope>`,
    ],
    [
      "a body of somebody else",
      `<e:Envelope xmlns:e="${soap}"><Body><m:GetItem xmlns:m="${messages}"/></Body></e:Envelope>`,
    ],
    ["an empty body", `<e:Envelope xmlns:e="${soap}"><e:Body/></e:Envelope>`],
    [
      "an operation that stands too deep",
      `<e:Envelope xmlns:e="${soap}"><e:Body><x><m:GetItem xmlns:m="${messages}"/></x></e:Body></e:Envelope>`,
    ],
    [
      "an operation in a comment",
      `<e:Envelope xmlns:e="${soap}"><e:Body><!--<m:GetItem xmlns:m="${messages}"/>--></e:Body></e:Envelope>`,
    ],
    [
      "an operation in CDATA",
      `<e:Envelope xmlns:e="${soap}"><e:Body><![CDATA[<m:GetItem xmlns:m="${messages}"/>]]></e:Body></e:Envelope>`,
    ],
    [
      "an operation in the head",
      `<e:Envelope xmlns:e="${soap}"><e:Header><m:GetItem xmlns:m="${messages}"/></e:Header></e:Envelope>`,
    ],
  ];
  for (const [title, body] of unnamed) {
    test(`${title} is none of EWS`, () => {
      const message = read(body);
      assert.ok(message !== "unreadable");
      assert.equal(message.operation, undefined);
    });
  }

  test("prefixes may be called anything, and be given anew", () => {
    const body = `<t:Envelope xmlns:t="${soap}"><t:Header><s:RequestServerVersion xmlns:s="${types}" Version='Exchange2010'/></t:Header><t:Body xmlns:m="urn:x"><t:GetFolder xmlns:t="${messages}"/></t:Body></t:Envelope>`;
    const message = read(body);
    assert.ok(message !== "unreadable");
    assert.deepEqual([message.operation, message.serverVersion?.name], ["GetFolder", "Exchange2010"]);
  });
});

const withBytes = (...bytes: readonly number[]): Buffer =>
  Buffer.from(inHead(`<x>${String.fromCharCode(...bytes)}</x>`), "latin1");
const inHead = (content: string): string => getItem.replace("<soap:Header>", `<soap:Header>${content}`);

suite("XML that can be read in more than one way, or costs more than it says, is not read", () => {
  const bomb = Array.from({ length: 10 }, (_, n) => `<!ENTITY e${n + 1} "${`&e${n};`.repeat(10)}">`).join("");
  const rows: readonly (readonly [attack: string, body: string | Uint8Array])[] = [
    ["nothing", ""],
    ["white space", " \r\n"],
    ["no XML", "GetItem"],
    ["JSON", `{"GetItem":{}}`],
    ["an entity bomb", getItem.replace("<soap:Envelope", `<!DOCTYPE x [<!ENTITY e0 "x">${bomb}]><soap:Envelope`)],
    [
      "an entity of a file",
      getItem.replace("<soap:Envelope", `<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><soap:Envelope`),
    ],
    ["an empty DOCTYPE", getItem.replace("<soap:Envelope", "<!DOCTYPE x><soap:Envelope")],
    ["a DOCTYPE in the middle", inHead("<!DOCTYPE x>")],
    ["an entity", inHead("<x>&e;</x>")],
    ["an entity in an attribute", inHead(`<x a="&e;"/>`)],
    ["half an entity", inHead("<x>a&b</x>")],
    ["a processing instruction", inHead("<?php x?>")],
    ["a second declaration", inHead(`<?xml version="1.0"?>`)],
    ["a declaration behind white space", ` ${getItem}`],
    ["a page", "<!doctype html><html><body></body></html>"],
    ["SOAP 1.2", getItem.replaceAll(soap, "http://www.w3.org/2003/05/soap-envelope")],
    ["another root", `<x>${getItem.slice(getItem.indexOf("<soap:Env"))}</x>`],
    ["text in front of the root", getItem.replace("<soap:Envelope", "x<soap:Envelope")],
    ["CDATA in front of the root", getItem.replace("<soap:Envelope", "<![CDATA[x]]><soap:Envelope")],
    ["tags that do not match", inHead("<a><b></a></b>")],
    ["tags that match but for their case", inHead("<a></A>")],
    ["an end without a beginning", inHead("</x>")],
    ["an attribute twice", inHead(`<x a="1" a="2"/>`)],
    ["a namespace twice", inHead(`<x xmlns:a="1" xmlns:a="2"/>`)],
    [
      "an attribute twice, by two prefixes of one namespace",
      inHead(`<x xmlns:a="urn:x" xmlns:b="urn:x" a:c="1" b:c="2"/>`),
    ],
    ["an attribute with two prefixes", inHead(`<x xmlns:a="urn:x" a:b:c="1"/>`)],
    ["a prefix that stands for nothing", inHead("<n:x/>")],
    ["a prefix of an attribute that stands for nothing", inHead(`<x n:a="1"/>`)],
    [
      "a prefix whose meaning has ended",
      `<e:Envelope xmlns:e="${soap}"><e:Header xmlns:m="${messages}"/><e:Body><m:GetItem/></e:Body></e:Envelope>`,
    ],
    ["a prefix that is given back", inHead(`<x xmlns:soap=""/>`)],
    ["a prefix that is XML's own", inHead(`<x xmlns:xml="urn:x"/>`)],
    ["a prefix that is that of namespaces", inHead(`<x xmlns:xmlns="urn:x"/>`)],
    ["a namespace spelled by references", getItem.replace(`GetItem xmlns="http:`, `GetItem xmlns="http&#58;`)],
    ["an attribute without quotes", inHead("<x a=1/>")],
    ["attributes without a space", inHead(`<x a="1"b="2"/>`)],
    ["< in an attribute", inHead(`<x a="<"/>`)],
    ["white space that only JavaScript has", inHead(`<x\u00a0a="1"/>`)],
    ["the same around a root", getItem.replace("<soap:Envelope", "\u2028<soap:Envelope")],
    ["a reference to NUL", inHead("<x>&#0;</x>")],
    ["a reference to half of a surrogate", inHead("<x>&#xD800;</x>")],
    ["a reference past the last character", inHead("<x>&#x110000;</x>")],
    ["a reference to a control character in an attribute", inHead(`<x a="&#8;"/>`)],
    ["the end of CDATA in text", inHead("<x>]]></x>")],
    ["hyphens in a comment", inHead("<!-- a -- b -->")],
    ["a comment that ends in three hyphens", inHead("<!-- a --->")],
    ["a comment without an end", inHead("<!--")],
    ["CDATA without an end", inHead("<![CDATA[")],
    ["a tag without an end", inHead("<x ")],
    ["an end in the middle", getItem.slice(0, getItem.indexOf("<soap:Body>"))],
    ["a NUL", inHead("\0")],
    ["a control character", inHead("\u0008")],
    ["a character that is none", inHead("\uffff")],
    ["a name that is not ASCII", inHead("<ｘ/>")],
    ["ISO-8859-1 by name", getItem.replace("utf-8", "ISO-8859-1")],
    ["UTF-7 by name", getItem.replace("utf-8", "UTF-7")],
    ["UTF-16 by name", getItem.replace("utf-8", "UTF-16")],
    ["EBCDIC by name", getItem.replace("utf-8", "IBM037")],
    ["ASCII by name, which is not all that comes", getItem.replace("utf-8", "us-ascii")],
    ["XML 1.1", getItem.replace('version="1.0"', 'version="1.1"')],
    ["a declaration that names its encoding twice", getItem.replace("?>", ` encoding="utf-8"?>`)],
    ["a declaration without a version", getItem.replace(`version="1.0" `, "")],
    ["two heads", getItem.replace("<soap:Body>", "<soap:Header/><soap:Body>")],
    ["two bodies", getItem.replace("<soap:Body>", "<soap:Body/><soap:Body>")],
    ["a head behind a body", getItem.replace("<soap:Header>", "<soap:Body/><soap:Header>")],
    ["two versions", inHead(`<t:RequestServerVersion Version="Exchange2007"/>`)],
    ["two versions, one of which there is not", inHead(`<t:RequestServerVersion Version="Exchange2099"/>`)],
    ["UTF-16, little end first", Buffer.from(`\ufeff${getItem}`, "utf16le")],
    ["UTF-16, big end first", Buffer.from(`\ufeff${getItem}`, "utf16le").swap16()],
    ["UTF-16 without a mark", Buffer.from(getItem, "utf16le")],
    ["UTF-32", new Uint8Array([0xff, 0xfe, 0, 0, 0x3c, 0, 0, 0])],
    ["an overlong form", withBytes(0xc0, 0xbc)],
    ["half of a surrogate", withBytes(0xed, 0xa0, 0x80)],
    ["bytes of Latin-1", withBytes(0xe9)],
    ["gzip", new Uint8Array([0x1f, 0x8b, 8, 0])],
  ];
  for (const [attack, body] of rows) {
    test(attack, () => assert.equal(readSoap(Buffer.from(body)), "unreadable"));
  }

  test("never throws, whatever comes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void readSoap(bytes)));
    const pieces = fc.constantFrom(
      "<",
      ">",
      "/",
      "a",
      ":",
      '"',
      "'",
      "=",
      " ",
      "&",
      ";",
      "<!--",
      "-->",
      "<![CDATA[",
      "]]>",
      "<a",
      "</a>",
    );
    fc.assert(fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => void read(inHead(parts.join("")))));
  });
});

suite("limits, at the last that passes and one past it", () => {
  const nested = (depth: number): string => inHead(`${"<x>".repeat(depth - 2)}${"</x>".repeat(depth - 2)}`);
  test("depth", () => {
    assert.deepEqual(read(nested(DEPTH_LIMIT)), readsGetItem);
    assert.equal(read(nested(DEPTH_LIMIT + 1)), "unreadable");
    assert.equal(read(inHead("<x>".repeat(1_000_000))), "unreadable");
  });

  test("length of a tag", () => {
    const tag = (length: number): string => inHead(`<x a="${"y".repeat(length - `<x a=""/>`.length)}"/>`);
    assert.deepEqual(read(tag(TAG_LIMIT_CHARACTERS)), readsGetItem);
    assert.equal(read(tag(TAG_LIMIT_CHARACTERS + 1)), "unreadable");
  });

  test("what stands in front of the operation", () => {
    const before = getItem.indexOf("<GetItem");
    const filled = (at: number): string => inHead(`<!--${"x".repeat(at - before - "<!---->".length)}-->`);
    assert.equal(filled(HEAD_LIMIT_CHARACTERS).indexOf("<GetItem"), HEAD_LIMIT_CHARACTERS);
    assert.deepEqual(read(filled(HEAD_LIMIT_CHARACTERS)), readsGetItem);
    assert.deepEqual(read(filled(HEAD_LIMIT_CHARACTERS + 1)), {
      ...readsGetItem,
      operation: undefined,
      serverVersion: readsGetItem.serverVersion,
    });
  });

  test("mailboxes", () => {
    const asking = (count: number): string =>
      asOutlookForMac(
        "Exchange2010",
        `<m:GetUserAvailabilityRequest><m:MailboxDataArray>${"<t:MailboxData/>".repeat(count)}</m:MailboxDataArray></m:GetUserAvailabilityRequest>`,
      );
    for (const [asked, counted] of [
      [0, 0],
      [MAILBOXES_LIMIT, MAILBOXES_LIMIT],
      [MAILBOXES_LIMIT + 1, MAILBOXES_LIMIT],
      [100_000, MAILBOXES_LIMIT],
    ] as const) {
      const message = read(asking(asked));
      assert.ok(message !== "unreadable");
      assert.equal(message.mailboxes, counted);
    }
  });
});

suite("4 MiB of anything are read in the time of a blink", () => {
  const size = 4 * 1024 * 1024;
  const fill = (piece: string): string => piece.repeat(Math.ceil(size / piece.length));
  const rows: readonly (readonly [title: string, body: string])[] = [
    ["a name", inHead(`<${fill("a")}`)],
    ["spaces in a tag", inHead(`<a${fill(" ")}`)],
    ["attributes", inHead(`<a${fill(' b="c"')}`)],
    ["half attributes", inHead(`<a${fill(" b=")}`)],
    ["tags", inHead(fill("<a/>"))],
    ["ends of tags", inHead(fill("</a>"))],
    ["openings", inHead(fill("<"))],
    ["comments", inHead(fill("<!---->"))],
    ["openings of comments", inHead(fill("<!--"))],
    ["openings of CDATA", inHead(fill("<![CDATA["))],
    ["references", inHead(fill("&amp;"))],
    ["half references", inHead(fill("&am"))],
    ["text", inHead(fill("x"))],
    ["text in front of the root", fill(" x")],
    ["an attachment", ewsRequest("CreateItem").body.replace("U3ViamVjdDogeA0KDQp5DQo=", fill("QUJD"))],
  ];
  for (const [title, body] of rows) {
    test(title, () => {
      const bytes = Buffer.from(body);
      const started = performance.now();
      readSoap(bytes);
      assert.ok(performance.now() - started < 500, `${performance.now() - started} ms`);
    });
  }
});
