import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { refuse } from "../../src/ews/refusal.ts";
import { readSoap } from "../../src/ews/soap.ts";
import type { SoapMessage } from "../../src/ews/soap.ts";
import { createWording } from "../../src/ews/wording.ts";
import { ewsRequests } from "../support/ews-requests.ts";
import { answerOf } from "../support/mail-request.ts";
import { only, parseXml } from "../support/soap-checker.ts";
import type { Node } from "../support/soap-checker.ts";

const soap = "{http://schemas.xmlsoap.org/soap/envelope/}";
const messages = "{http://schemas.microsoft.com/exchange/services/2006/messages}";
const types = "{http://schemas.microsoft.com/exchange/services/2006/types}";
const said = { language: "en", text: `Example <&> "Sons" ]]> say no` };

function answered(message: SoapMessage | "unreadable"): { readonly httpStatus: number; readonly envelope: Node } {
  assert.ok(message !== "unreadable");
  const { httpStatus, headers, text } = answerOf(refuse(message, said));
  assert.equal(headers.get("content-type"), "text/xml; charset=utf-8");
  const envelope = parseXml(Buffer.from(text));
  assert.equal(envelope.name, `${soap}Envelope`);
  return { httpStatus, envelope };
}

function assertDenied(node: Node): void {
  assert.equal(node.attributes.get("ResponseClass"), "Error");
  // The schema is a sequence: a client that reads it in order finds nothing after the wrong one.
  assert.deepEqual(
    node.children.slice(0, 3).map(({ name, text }) => [name, text]),
    [
      [`${messages}MessageText`, said.text],
      [`${messages}ResponseCode`, "ErrorAccessDenied"],
      [`${messages}DescriptiveLinkKey`, "0"],
    ],
  );
}

/** Where the errors stand, for those operations that have a place of their own, and what stands beside them. */
const places: ReadonlyMap<string, (response: Node) => readonly Node[]> = new Map([
  ["GetServiceConfiguration", (response) => [response]],
  ["GetUserOofSettings", (response) => [only(response, "ResponseMessage")]],
  [
    "GetUserAvailability",
    (response) => only(response, "FreeBusyResponseArray").children.map((each) => only(each, "ResponseMessage")),
  ],
]);
const held: ReadonlyMap<string, string> = new Map([
  ["GetFolder", "Folders"],
  ["GetItem", "Items"],
  ["CreateItem", "Items"],
  ["GetAttachment", "Attachments"],
]);

suite("a refused operation is answered in its own shape", () => {
  for (const { operation, from, version, body } of ewsRequests) {
    test(`${operation} of ${from}`, () => {
      const { httpStatus, envelope } = answered(readSoap(Buffer.from(body)));
      assert.equal(httpStatus, 200);
      const response = only(envelope, "Body", "*");
      assert.equal(response.name, `${messages}${operation}Response`);

      const place = places.get(operation);
      const errors = place?.(response) ?? [only(response, "ResponseMessages", `${operation}ResponseMessage`)];
      assert.equal(errors.length, operation === "GetUserAvailability" ? 2 : 1);
      for (const error of errors) {
        assertDenied(error);
        const beside = held.get(operation);
        assert.deepEqual(
          error.children.slice(3).map(({ name, children, text }) => [name, children.length, text]),
          beside === undefined ? [] : [[`${messages}${beside}`, 0, ""]],
        );
      }
      const headers = envelope.children.filter(({ name }) => name === `${soap}Header`);
      assert.deepEqual(
        headers.flatMap(({ children }) => children.map(({ name, attributes }) => [name, attributes.get("Version")])),
        version === undefined ? [] : [[`${types}ServerVersionInfo`, version]],
      );
    });
  }

  test("no number is missing that clients read from the version", () => {
    const { envelope } = answered(readSoap(Buffer.from(ewsRequests[0]?.body ?? "")));
    const { attributes } = only(envelope, "Header", "ServerVersionInfo");
    for (const name of ["MajorVersion", "MinorVersion", "MajorBuildNumber", "MinorBuildNumber"])
      assert.match(attributes.get(name) ?? "", /^\d+$/);
  });

  test("somebody who asks about nobody's free times gets one answer all the same", () => {
    const { envelope } = answered({ operation: "GetUserAvailabilityRequest", serverVersion: undefined, mailboxes: 0 });
    assert.equal(only(envelope, "Body", "*", "FreeBusyResponseArray").children.length, 1);
  });
});

suite("what has no shape is answered with a fault", () => {
  const unknown = [
    undefined,
    "GetReminders",
    "GetUserPhoto",
    "Evil",
    "getitem",
    "GetItemResponse",
    "__proto__",
    "constructor",
  ];
  for (const operation of unknown) {
    test(String(operation), () => {
      const { httpStatus, envelope } = answered({ operation, serverVersion: undefined, mailboxes: 0 });
      assert.equal(httpStatus, 500);
      const fault = only(envelope, "Body", "Fault");
      assert.equal(fault.name, `${soap}Fault`);
      assert.deepEqual(
        fault.children.map(({ name }) => name),
        ["{}faultcode", "{}faultstring", "{}detail"],
      );
      assert.equal(only(fault, "faultcode").text, "a:ErrorAccessDenied");
      assert.equal(only(fault, "faultstring").text, said.text);
      assert.equal(only(fault, "detail", "ResponseCode").text, "ErrorAccessDenied");
      assert.equal(only(fault, "detail", "Message").text, said.text);
    });
  }
});

suite("the words", () => {
  test("name the organisation and the help desk's page", () => {
    const { language, text } = createWording("Example & Sons", "https://help.example/?a=b&c=d")("en-US, de;q=0.5");
    assert.equal(language, "en");
    assert.match(text, /^Example & Sons does not show mail in this program\./);
    assert.match(text, / https:\/\/help\.example\/\?a=b&c=d$/);
  });

  test("are there in any language that the notice has", () => {
    const wordsFor = createWording("Example", undefined);
    for (const wish of [undefined, "", "xx", "de-DE", "fr", "es-MX", "ja-JP", "zh-Hans-CN"]) {
      assert.match(wordsFor(wish).text, /Example/);
    }
  });
});
