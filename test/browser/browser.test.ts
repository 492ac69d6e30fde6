import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import { createBrowserProtocol } from "../../src/browser/browser.ts";
import { Refusal } from "../../src/gateway/errors.ts";
import type { MailRequest } from "../../src/gateway/protocol.ts";
import { aMailRequest, answerOf, aRemediation, withHeaders } from "../support/mail-request.ts";

const phonePage = { organisation: "Example & Sons", helpUrl: "https://help.example/mail?a=b&c=d" };
const protocol = createBrowserProtocol({ phonePage });
const asPage = withHeaders({ accept: "text/html,application/xhtml+xml,*/*;q=0.8" });

suite("a request on a browser route", () => {
  test("is a browser's, and its query goes upstream as it came", () => {
    const claim = protocol.identify(aMailRequest({ ...asPage, query: "a=%20;b&&c=@" }));
    assert.deepEqual(claim.subject, { kind: "browser", looksLike: "phone" });
    assert.equal(claim.command, "navigate");
    assert.equal(claim.forwardQuery, "a=%20;b&&c=@");
    assert.equal(claim.mayPark, false);
    assert.equal(claim.rewrite, undefined);
  });

  const commands: readonly (readonly [headers: Record<string, string>, expected: string])[] = [
    [{ accept: "text/html" }, "navigate"],
    [{ accept: "APPLICATION/XHTML+XML" }, "navigate"],
    [{ accept: "*/*", "sec-fetch-mode": "navigate" }, "navigate"],
    [{}, "navigate"],
    [{ accept: "*/*" }, "fetch"],
    [{ accept: "application/json" }, "fetch"],
    [{ accept: "" }, "fetch"],
  ];
  for (const [headers, expected] of commands) {
    test(`with ${JSON.stringify(headers)} it is a ${expected}`, () => {
      assert.equal(protocol.identify(aMailRequest(withHeaders(headers))).command, expected);
    });
  }

  test("may wait where a webmail waits for news", () => {
    for (const path of ["/owa/ev.owa2", "/OWA/EV.OWA"]) {
      assert.equal(protocol.identify(aMailRequest({ path })).mayPark, true);
    }
  });
});

suite("a webmail's path is no way to ActiveSync", () => {
  const doors = [
    "/SOGo/Microsoft-Server-ActiveSync",
    "/SOGo/microsoft-server-activesync/",
    "/SOGo/MICROSOFT-SERVER-ACTIVESYNC/x",
    "/SOGo/so/alice/Microsoft-Server-ActiveSync",
    "/SOGo/Microsoft-Server-ActiveSync.css",
    "/SOGo/Microsoft-Server-ActiveSync:$DATA",
    "/SOGo/%4dicrosoft-Server-ActiveSync",
    "/SOGo/Ｍicrosoft-Server-ActiveSync",
    "/owa/alice%40corp.example/PowerShell",
    "/owa/powershell-liveid",
  ];
  for (const path of doors) {
    test(path, () => assert.throws(() => protocol.identify(aMailRequest({ ...asPage, path })), notRouted));
  }
  const headers: readonly (readonly [string, string])[] = [
    ["content-type", "application/vnd.ms-sync.wbxml"],
    ["content-type", " Application/VND.ms-sync"],
    ["content-type", "application/vnd.ms-sync.multipart; charset=utf-8"],
    ["ms-asprotocolversion", "16.1"],
  ];
  for (const [name, value] of headers) {
    test(`${name}: ${value}`, () => {
      const request = aMailRequest({
        method: "POST",
        path: "/SOGo/x",
        hasBody: true,
        ...withHeaders({ [name]: value }),
      });
      assert.throws(() => protocol.identify(request), notRouted);
    });
  }
  test("a folder may have a name that only begins like it", () => {
    for (const path of [
      "/SOGo/so/alice/Mail/0/folderPowershell",
      "/owa/powershells",
      "/owa/microsoft-server-activesyncs",
    ]) {
      assert.equal(protocol.identify(aMailRequest({ path })).command, "navigate");
    }
  });
  test("escapes that are no UTF-8 are refused", () => {
    assert.throws(
      () => protocol.identify(aMailRequest({ path: "/owa/%ff" })),
      (error) => error instanceof Refusal && error.code === "target-ambiguous",
    );
  });
});

suite("a phone's browser is told where its mail is", () => {
  test("on a page of its own", async () => {
    const { httpStatus, headers, text } = await answer(aMailRequest(asPage));
    assert.equal(httpStatus, 403);
    assert.equal(headers.get("content-type"), "text/html; charset=utf-8");
    assert.match(text, /Example &amp; Sons/);
    assert.match(text, /href="https:\/\/help\.example\/mail\?a=b&amp;c=d"/);
    assert.match(text, /^<!doctype html><html lang="en">/);
    for (const element of ["<title>", "<main>", "<h1>", 'name="viewport"']) assert.ok(text.includes(element), element);
  });

  test("the page loads nothing, runs nothing, sets nothing, and its one style is the one that is allowed", async () => {
    const { headers, text } = await answer(aMailRequest(asPage));
    const style = /<style>(.*)<\/style>/s.exec(text)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    assert.equal(
      headers.get("content-security-policy"),
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
    assert.equal(headers.has("set-cookie"), false);
    assert.doesNotMatch(text, /<script|<img|<link|<iframe|<form|style=|\son[a-z]+=|url\(/i);
  });

  test("a script gets a problem that it can read", async () => {
    const { httpStatus, headers, text } = await answer(aMailRequest(withHeaders({ accept: "application/json" })));
    assert.equal(httpStatus, 403);
    assert.equal(headers.get("content-type"), "application/problem+json");
    assert.deepEqual(JSON.parse(text), {
      type: "about:blank",
      title: "Please use your phone’s mail app",
      status: 403,
      detail: "Mail in the browser is for computers. On a phone, please use the mail app.",
      help: "https://help.example/mail?a=b&c=d",
    });
  });

  test("HEAD gets the head of the page", async () => {
    const { headers, text } = await answer(aMailRequest({ ...asPage, method: "HEAD" }));
    assert.equal(headers.get("content-type"), "text/html; charset=utf-8");
    assert.equal(text, "");
  });

  test("what it was sending is read to the end first", async () => {
    const request = aMailRequest({ ...asPage, method: "POST", hasBody: true });
    let discarded = 0;
    const discardBody = (limitBytes: number): Promise<void> => {
      discarded = limitBytes;
      return Promise.resolve();
    };
    await protocol.identify(request).remediate(aRemediation(request, { discardBody }));
    assert.ok(discarded > 0);
  });

  test("without a help page it names the help desk, and links to nothing", async () => {
    const bare = createBrowserProtocol({ phonePage: { organisation: "Example" } });
    const request = aMailRequest(asPage);
    const { text } = answerOf(await bare.identify(request).remediate(aRemediation(request)));
    assert.match(text, /Please ask the <bdi>Example<\/bdi> help desk/);
    assert.doesNotMatch(text, /<a /);
  });

  for (const [accept, tag, title] of [
    ["de-CH,de;q=0.9,en;q=0.5", "de", "Bitte nutzen Sie die Mail-App Ihres Smartphones"],
    ["en;q=0.5,fr;q=0.9", "fr", "Utilisez l’app de messagerie de votre téléphone"],
    ["zh-TW,zh;q=0.9", "zh-Hans", "请使用手机上的邮件应用"],
    ["pl", "ja", "スマートフォンのメールアプリをお使いください"],
  ] as const) {
    test(`a browser that asks for ${accept} gets its page in ${tag}`, async () => {
      const inJapan = createBrowserProtocol({ phonePage: { ...phonePage, language: "ja" } });
      const request = aMailRequest(withHeaders({ accept: "text/html", "accept-language": accept }));
      const { text, headers } = answerOf(await inJapan.identify(request).remediate(aRemediation(request)));
      assert.equal(headers.get("content-language"), tag);
      assert.match(text, new RegExp(`<html lang="${tag}">.*<title>${title}</title>.*<h1>${title}</h1>`, "s"));
    });
  }

  test("a help page that is none is found when the gate starts", () => {
    for (const helpUrl of ["javascript:alert(1)", "mailto:a@b.example", "help", ""]) {
      assert.throws(() => createBrowserProtocol({ phonePage: { organisation: "Example", helpUrl } }), TypeError);
    }
    assert.throws(() => createBrowserProtocol({ phonePage: { organisation: "\u200b\r\n" } }), TypeError);
  });
});

async function answer(request: MailRequest): Promise<ReturnType<typeof answerOf>> {
  return answerOf(await protocol.identify(request).remediate(aRemediation(request)));
}

function notRouted(error: unknown): boolean {
  return error instanceof Refusal && error.code === "not-routed" && error.httpStatus === 404;
}
