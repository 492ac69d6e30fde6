/** Ways to a mailbox that are no ActiveSync: other doors of real servers behind a route, and headers that open them. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { defaultRoutes } from "../../src/config/route-schema.ts";
import { aGate, clean } from "../support/gate.ts";
import { aServer, ask } from "../support/http.ts";
import { laptop, post } from "./wire.ts";

/** The routes that a configuration has where it says nothing. */
const routes = defaultRoutes
  .map(
    ({ path, protocol, except = [] }) => `  - { path: ${path}, protocol: ${protocol}, except: [${except.join(", ")}] }`,
  )
  .join("\n");

interface Door {
  readonly title: string;
  readonly target: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The request may pass, but not with this in its head. Undefined: it may not pass. */
  readonly without?: RegExp;
}

const doors: readonly Door[] = [
  { title: "DAV of SOGo", target: "/SOGo/dav/alice/Mail/0/folderINBOX/1" },
  { title: "DAV of SOGo, in other letters", target: "/sogo/DAV/alice/Mail/0/folderINBOX/1" },
  { title: "DAV of SOGo, escaped", target: "/SOGo/d%61v/alice/Mail/0/folderINBOX/1" },
  { title: "DAV of SOGo, behind slashes", target: "/SOGo///dav/alice/Mail/0/folderINBOX/1" },
  { title: "DAV of SOGo, by its other name", target: "/SOGo.woa/dav/alice/Mail/0/folderINBOX/1" },
  { title: "ActiveSync of SOGo", target: "/SOGo/Microsoft-Server-ActiveSync?Cmd=Sync&DeviceId=X", method: "POST" },
  { title: "ActiveSync of SOGo, by its other name", target: "/SOGo.woa/Microsoft-Server-ActiveSync", method: "POST" },
  { title: "ActiveSync below a webmail", target: "/SOGo/so/alice/Microsoft-Server-ActiveSync", method: "POST" },
  { title: "ActiveSync with an ending", target: "/owa/Microsoft-Server-ActiveSync.css", method: "POST" },
  {
    title: "ActiveSync by its content type",
    target: "/SOGo/so/alice",
    method: "POST",
    headers: { "Content-Type": "application/vnd.ms-sync.wbxml" },
  },
  {
    title: "ActiveSync by its version header",
    target: "/owa/x",
    method: "POST",
    headers: { "MS-ASProtocolVersion": "14.1" },
  },
  { title: "PowerShell below OWA", target: "/owa/mastermailbox%40outlook.com/powershell", method: "POST" },
  { title: "the way in of EWS for other servers", target: "/EWS/Exchange.asmx/wssecurity", method: "POST" },
  { title: "MAPI", target: "/mapi/emsmdb?MailboxId=x", method: "POST" },
  { title: "RPC", target: "/rpc/rpcproxy.dll", method: "POST" },
  { title: "the address book", target: "/OAB/x/oab.xml" },
  { title: "REST", target: "/api/v2.0/me/messages" },
  { title: "PowerShell", target: "/powershell", method: "POST" },
  { title: "the SOAP service of Autodiscover", target: "/autodiscover/autodiscover.svc", method: "POST" },
  { title: "EWS by Autodiscover", target: "/autodiscover/autodiscover.json?@corp.example/ews/exchange.asmx" },
  {
    title: "EWS by an address",
    target: "/autodiscover/autodiscover.json?Email=autodiscover/autodiscover.json%3F@corp.example",
  },
  { title: "a WebDAV method", target: "/SOGo/so/alice", method: "PROPFIND" },
  { title: "a method to write", target: "/SOGo/so/alice", method: "MKCOL" },
  {
    title: "the back end by a cookie (CVE-2021-26855)",
    target: "/ecp/y.js",
    method: "POST",
    headers: { Cookie: "X-BEResource=localhost~1942062522" },
    without: /X-BEResource/,
  },
  {
    title: "the back end by an anonymous cookie (CVE-2021-26855)",
    target: "/owa/auth/x.js",
    headers: { Cookie: "X-AnonResource=true; X-AnonResource-Backend=localhost/ecp/default.flt?~3" },
    without: /X-AnonResource/,
  },
  {
    title: "the back end by a token of its own (CVE-2021-33766)",
    target: "/ecp/DDI/DDIService.svc/GetList",
    method: "POST",
    headers: { Cookie: "SecurityToken=x" },
    without: /SecurityToken/,
  },
  {
    title: "the back end by who it is to act for (CVE-2022-41080)",
    target: "/owa/x",
    headers: { "X-OWA-ExplicitLogonUser": "owa/mastermailbox@outlook.com" },
    without: /explicitlogonuser/i,
  },
];

suite("a browser on a computer finds no other door behind the routes that come by default", () => {
  for (const { title, target, method = "GET", headers = {}, without } of doors) {
    test(title, async (t) => {
      const upstream = await aServer(t, (_req, res) => res.end("mail"));
      const gate = await aGate(t, { upstream: upstream.url, routes });
      const body = method === "POST" ? { "Content-Length": "0" } : {};
      await ask(gate.url + target, { method, headers: { "User-Agent": laptop, ...body, ...headers } });
      const wrong = upstream.seen.filter(({ rawHeaders }) => without?.test(rawHeaders.join("\n")) ?? true);
      assert.deepEqual(wrong, []);
    });
  }
});

/** What some server or some proxy in front of it is known to believe. */
const believed = [
  "Proxy",
  "SSL-Client-Verify",
  "SSL-Client-S-DN",
  "X-Client-Cert",
  "X-Client-Verify",
  "X-ARR-ClientCert",
  "X-Tls-Client-Cert",
  "X-Username",
  "X-MS-Client-Principal-Name",
  "X-Goog-Authenticated-User-Email",
  "Cf-Access-Authenticated-User-Email",
  "OIDC-Claim-Sub",
  "X-OWA-ExplicitLogonUser",
  "msExchProxyUri",
  "X-BEResource",
  "X-EAS-Proxy",
  "X-WLID",
  "X-Original-Method",
  "X-Forward-For",
  "X-Envoy-Original-Path",
];

suite("a header by which some server learns who asks, or whom to ask, is not a phone's to send", () => {
  for (const name of believed) {
    test(name, async (t) => {
      const upstream = await aServer(t, (req, res) => {
        req.resume();
        res.end();
      });
      const gate = await aGate(t, { upstream: upstream.url });
      await gate.reports("PHONEA", clean);
      await post(gate, "Settings", undefined, { headers: { [name]: "evil" } });
      const names = upstream.seen.flatMap(({ rawHeaders }) => rawHeaders.map((each) => each.toLowerCase()));
      assert.equal(names.includes(name.toLowerCase()), false);
    });
  }
});

test("what phones really send goes through", async (t) => {
  const upstream = await aServer(t, (req, res) => {
    req.resume();
    res.end();
  });
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("PHONEA", clean);
  const sent = {
    "X-MS-PolicyKey": "1234567890",
    "MS-ASAcceptMultiPart": "T",
    "Accept-Language": "de-DE",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": "Apple-iPhone14C3/1805.32",
    "X-AnchorMailbox": "alice@corp.example",
    Cookie: "a=b",
  };
  await post(gate, "Settings", undefined, { headers: sent });
  const names = new Set(upstream.seen.flatMap(({ rawHeaders }) => rawHeaders.map((each) => each.toLowerCase())));
  for (const name of Object.keys(sent)) assert.ok(names.has(name.toLowerCase()), name);
});
