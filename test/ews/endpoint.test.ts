import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { checkEndpoint, isSaidToBeUtf8 } from "../../src/ews/endpoint.ts";
import { Refusal } from "../../src/gateway/errors.ts";
import type { RefusalCode } from "../../src/gateway/errors.ts";
import { aMailRequest, withHeaders } from "../support/mail-request.ts";

const request = aMailRequest({ method: "POST", path: "/EWS/Exchange.asmx", hasBody: true });

function refusedAs(code: RefusalCode): (error: unknown) => boolean {
  return (error) => error instanceof Refusal && error.code === code;
}

suite("one endpoint, in any letter case", () => {
  for (const path of ["/EWS/Exchange.asmx", "/EWS/exchange.asmx", "/ews/EXCHANGE.ASMX"]) {
    test(path, () => assert.doesNotThrow(() => checkEndpoint({ ...request, path })));
  }
});

suite("nothing else behind /EWS is routed", () => {
  const paths = [
    "/EWS",
    "/EWS/",
    "/EWS/Exchange.asmx/",
    "/EWS/Exchange.asmx/GetFolder",
    "/EWS/Exchange.asmx/wssecurity",
    "/EWS/Exchange.asmx/WSSecurity/X509Cert",
    "/EWS/Exchange.asmx/s/GetUserPhoto",
    "/EWS/Services.wsdl",
    "/EWS/messages.xsd",
    "/EWS/Exchange.asmx%20",
    "/EWS/Exchange.asmx.css",
    "/EWS/x/EWS/Exchange.asmx",
    "/EWS/autodiscover.asmx",
    "/EWS/Microsoft-Server-ActiveSync",
    "/EWS/PowerShell",
    "/EWS/alice@corp.example/Exchange.asmx",
  ];
  for (const path of paths) {
    test(path, () => assert.throws(() => checkEndpoint({ ...request, path }), refusedAs("not-routed")));
  }
  for (const query of ["", "wsdl", "op=GetFolder", "a@corp.example/powershell", "Cmd=Sync&DeviceId=A"]) {
    test(`?${query}`, () => assert.throws(() => checkEndpoint({ ...request, query }), refusedAs("not-routed")));
  }
});

suite("what is not for EWS is not handed on", () => {
  const rows: readonly (readonly [name: string, value: string, code: RefusalCode])[] = [
    ["ms-asprotocolversion", "14.1", "not-routed"],
    ["ms-asprotocolversions", "14.1", "not-routed"],
    ["x-ms-policykey", "0", "not-routed"],
    ["content-type", "application/vnd.ms-sync.wbxml", "body-unreadable"],
    ["content-type", "application/soap+xml; charset=utf-8", "body-unreadable"],
    ["content-type", 'multipart/related; type="text/xml"', "body-unreadable"],
    ["content-type", "text/xmlx", "body-unreadable"],
    ["content-type", "", "body-unreadable"],
    ["msexchproxyuri", "https://mbx01/powershell", "header-refused"],
    ["x-sourcecafeserver", "mbx01", "header-refused"],
    ["x-isfrombackend", "1", "header-refused"],
    ["x-wlid-membername", "ceo@corp.example", "header-refused"],
    ["cookie", "X-BEResource=localhost~1942062522", "header-refused"],
    ["cookie", "a=b; x-anonresource-backend=mbx01/ecp/default.flt?~3", "header-refused"],
    ["cookie", "a=b;X-AnonResource = true", "header-refused"],
  ];
  for (const [name, value, code] of rows) {
    test(`${name}: ${value}`, () => {
      assert.throws(() => checkEndpoint({ ...request, ...withHeaders({ [name]: value }) }), refusedAs(code));
    });
  }
});

test("what real mail programs send passes", () => {
  const headers = {
    "content-type": "text/xml; charset=utf-8",
    soapaction: '"http://schemas.microsoft.com/exchange/services/2006/messages/GetFolder"',
    cookie: "exchangecookie=1f; X-BackEndOverrideCookie=mbx01~1942062522",
    "x-anchormailbox": "alice@corp.example",
    "x-preferserveraffinity": "true",
    "client-request-id": "{00000000-0000-4000-8000-000000000000}",
  };
  assert.doesNotThrow(() => checkEndpoint({ ...request, ...withHeaders(headers) }));
  assert.doesNotThrow(() => checkEndpoint({ ...request, ...withHeaders({ "content-type": "TEXT/XML" }) }));
});

suite("a body is read as UTF-8 only where its header says nothing else", () => {
  const rows: readonly (readonly [contentType: string | undefined, isUtf8: boolean])[] = [
    [undefined, true],
    ["text/xml", true],
    ["text/xml; charset=utf-8", true],
    ["TEXT/XML;CHARSET=UTF-8", true],
    ['text/xml; charset="utf-8"', true],
    ["text/xml; action=x; charset=utf-8", true],
    ["text/xml; charset=utf-16", false],
    ["text/xml; charset=utf-8; charset=utf-7", false],
    ["text/xml; charset=iso-8859-1", false],
    ["text/xml; charset =utf-7", false],
    ["text/xml; charset*=utf-7''x", false],
    ['text/xml; charset="utf-8', false],
    ["text/xml; charset=", false],
  ];
  for (const [contentType, expected] of rows) {
    test(String(contentType), () => assert.equal(isSaidToBeUtf8(contentType), expected));
  }
});
