import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { rewriteActiveSyncLocation, rewriteLocation } from "../../src/gateway/location.ts";

const options = {
  upstreamOrigins: ["http://mail.internal", "https://mbx01.ad.corp.example"],
  publicOrigin: "https://mail.corp.example",
};

suite("a redirect that names the mail server names the gate instead", () => {
  const rows: readonly (readonly [title: string, value: string, expected: string | undefined])[] = [
    ["the mail server", "http://mail.internal/owa/", "https://mail.corp.example/owa/"],
    ["with query and fragment", "https://mail.internal/owa/?a=b%20c#d", "https://mail.corp.example/owa/?a=b%20c#d"],
    ["on a port of its own", "https://mail.internal:444/owa/", "https://mail.corp.example/owa/"],
    ["in capitals", "HTTPS://MAIL.INTERNAL/owa/", "https://mail.corp.example/owa/"],
    ["under its second name", "https://mbx01.ad.corp.example/ecp/", "https://mail.corp.example/ecp/"],
    ["with a user in front", "https://a:b@mail.internal/owa/", "https://mail.corp.example/owa/"],
    ["without a scheme", "//mail.internal/owa/", "https://mail.corp.example/owa/"],
    ["with a backslash, as browsers read it", "/\\mail.internal/owa/", "https://mail.corp.example/owa/"],
    ["with the slashes left out", "http:mail.internal/owa/", "https://mail.corp.example/owa/"],
    ["a path stays", "/owa/auth/logon.aspx?reason=0", "/owa/auth/logon.aspx?reason=0"],
    ["a relative path stays", "../auth/", "../auth/"],
    [
      "a login page elsewhere stays",
      "https://login.microsoftonline.com/x?y=z",
      "https://login.microsoftonline.com/x?y=z",
    ],
    ["the gate itself stays", "https://mail.corp.example/owa/", "https://mail.corp.example/owa/"],
    ["a host that only ends like it stays", "https://notmail.internal.example/", "https://notmail.internal.example/"],
    ["another scheme stays", "ms-outlook://mail.internal/", "ms-outlook://mail.internal/"],
    ["a line end in it", "https://mail.internal/\r\nSet-Cookie: a=b", undefined],
    ["a tab in the host", "https://mail\t.internal/", undefined],
    ["an empty one", "", undefined],
    ["no host at all", "http://", undefined],
    ["letters outside of ASCII", "https://mail。internal/owa", undefined],
  ];
  for (const [title, value, expected] of rows) {
    test(title, () => assert.equal(rewriteLocation(value, options), expected));
  }

  test("what comes out never names an upstream host, and coming out twice changes nothing", () => {
    const host = fc.constantFrom("mail.internal", "MAIL.internal", "mbx01.ad.corp.example", "other.example");
    const start = fc.constantFrom("http://", "https://", "//", "/\\", "https:\\\\", "\\\\", "http:", "https:///", "");
    fc.assert(
      fc.property(start, host, fc.webPath(), (scheme, name, path) => {
        const rewritten = rewriteLocation(`${scheme}${name}${path}`, options);
        if (rewritten === undefined) return;
        const { hostname } = new URL(rewritten, "https://relative.invalid");
        assert.ok(["mail.corp.example", "other.example", "relative.invalid"].includes(hostname), rewritten);
        assert.equal(rewriteLocation(rewritten, options), rewritten);
      }),
    );
  });
});

suite("a phone that is sent to another server stays with the gate", () => {
  const gate = "https://mail.corp.example/Microsoft-Server-ActiveSync";
  const rows: readonly (readonly [title: string, value: string, expected: string | undefined])[] = [
    ["the mail server", "https://mail.internal/Microsoft-Server-ActiveSync", gate],
    ["another server of the organisation", "https://eas2.corp.example/Microsoft-Server-ActiveSync", gate],
    ["somebody else's server", "https://outlook.office365.com/Microsoft-Server-ActiveSync", gate],
    ["in other letters, with a slash and a query", "https://x.example/microsoft-server-activesync/?a=b", gate],
    ["another path", "https://mail.internal/owa/", undefined],
    ["a path that only begins like it", "https://mail.internal/Microsoft-Server-ActiveSyncX", undefined],
    ["another scheme", "ftp://mail.internal/Microsoft-Server-ActiveSync", undefined],
    ["a line end in it", "https://mail.internal/Microsoft-Server-ActiveSync\r\nX: y", undefined],
    ["nothing", "", undefined],
  ];
  for (const [title, value, expected] of rows) {
    test(title, () => assert.equal(rewriteActiveSyncLocation(value, options), expected));
  }

  test("whatever upstream says, the host is the gate's", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl()), (value) => {
        assert.ok([gate, undefined].includes(rewriteActiveSyncLocation(value, options)));
      }),
    );
  });
});
