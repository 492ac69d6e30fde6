import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { rewriteJson, rewriteXml } from "../../src/autodiscover/documents.ts";
import { readXml } from "../../src/autodiscover/xml.ts";
import { UpstreamFailure } from "../../src/gateway/errors.ts";

const rewrite = {
  upstreamHosts: new Set(["mail.internal", "mbx01.ad.corp.example"]),
  publicOrigin: "https://mail.corp.example",
};
const gate = "https://mail.corp.example/Microsoft-Server-ActiveSync";
const declaration = `<?xml version="1.0" encoding="utf-8"?>`;

const mobileSync = (url: string): string => `${declaration}
<Autodiscover xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
  <Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006">
    <Culture>en:us</Culture>
    <User><DisplayName>Alice &amp; Bob</DisplayName><EMailAddress>alice@corp.example</EMailAddress></User>
    <Action><Settings><Server><Type>MobileSync</Type><Url>${url}</Url><Name>${url}</Name></Server></Settings></Action>
  </Response>
</Autodiscover>`;

suite("an XML answer names the gate", () => {
  test("a phone is sent to the gate, and everything else in the answer stays as it was", () => {
    for (const host of ["mail.internal", "mbx02.ad.corp.example", "outlook.office365.com", "10.0.0.5", "[fd00::1]"]) {
      const url = `https://${host}/Microsoft-Server-ActiveSync`;
      assert.equal(rewriteXml(mobileSync(url), rewrite), mobileSync(gate));
    }
  });

  test("the address of ActiveSync is the gate's whatever path or form it has", () => {
    const server = (type: string): string => `<a><Server>${type}<Url>mail.internal/eas</Url></Server></a>`;
    assert.match(rewriteXml(server("<Type>MobileSync</Type>"), rewrite), new RegExp(`<Url>${gate}</Url>`));
    assert.match(rewriteXml(server("<Type> mobilesync </Type>"), rewrite), new RegExp(`<Url>${gate}</Url>`));
    assert.match(rewriteXml(server("<Type>CertEnroll</Type>"), rewrite), /<Url>mail.internal\/eas<\/Url>/);
    const after = "<a><Server><Url>https://x.example/y</Url><Type>MobileSync</Type></Server></a>";
    assert.match(rewriteXml(after, rewrite), new RegExp(`<Url>${gate}</Url>`));
  });

  const rows: readonly (readonly [title: string, element: string, expected: string])[] = [
    [
      "an Exchange address",
      "<ASUrl>https://mail.internal/EWS/Exchange.asmx</ASUrl>",
      "<ASUrl>https://mail.corp.example/EWS/Exchange.asmx</ASUrl>",
    ],
    [
      "an element that nobody has heard of",
      "<NewUrl>http://mbx01.ad.corp.example:81/x?a=b&amp;c=d</NewUrl>",
      "<NewUrl>https://mail.corp.example/x?a=b&amp;c=d</NewUrl>",
    ],
    ["a name without a dot", "<EwsUrl>https://mbx02/EWS</EwsUrl>", "<EwsUrl>https://mail.corp.example/EWS</EwsUrl>"],
    [
      "a private name",
      "<EwsUrl>https://mbx02.corp.local/EWS</EwsUrl>",
      "<EwsUrl>https://mail.corp.example/EWS</EwsUrl>",
    ],
    ["a bare address", "<EwsUrl>https://0x0a000005/EWS</EwsUrl>", "<EwsUrl>https://mail.corp.example/EWS</EwsUrl>"],
    [
      "attributes stay",
      `<OWAUrl AuthenticationMethod="Basic, Fba">https://mail.internal/owa/</OWAUrl>`,
      `<OWAUrl AuthenticationMethod="Basic, Fba">https://mail.corp.example/owa/</OWAUrl>`,
    ],
    ["a prefix stays", "<x:Url>https://mail.internal/</x:Url>", "<x:Url>https://mail.corp.example/</x:Url>"],
    ["white space around it", "<Url>\n https://mail.internal/a \n</Url>", "<Url>https://mail.corp.example/a</Url>"],
    ["numbered characters", "<Url>&#104;ttps://mail&#x2e;internal/</Url>", "<Url>https://mail.corp.example/</Url>"],
    ["a comment in the middle", "<Url>https://mail<!-- x -->.internal/</Url>", "<Url>https://mail.corp.example/</Url>"],
    ["CDATA", "<Url><![CDATA[https://mail.internal/?a=b&c]]></Url>", "<Url>https://mail.corp.example/?a=b&amp;c</Url>"],
    ["a bare host", "<Server>MAIL.internal</Server>", "<Server>mail.corp.example</Server>"],
    [
      "the name of a mailbox",
      "<Server>01234567-89ab@corp.example</Server>",
      "<Server>01234567-89ab@corp.example</Server>",
    ],
    [
      "a host in a person's name",
      "<DisplayName>mail.internal</DisplayName>",
      "<DisplayName>mail.internal</DisplayName>",
    ],
    [
      "a public server elsewhere",
      "<OABUrl>https://cdn.example/oab/</OABUrl>",
      "<OABUrl>https://cdn.example/oab/</OABUrl>",
    ],
    ["an empty element", `<Url a="b" />`, `<Url a="b"></Url>`],
    ["text that is unchanged keeps its spelling", "<a>&#65;&quot;</a>", "<a>&#65;&quot;</a>"],
    ["a processing instruction is left out", "<?x y?><a>b</a>", "<a>b</a>"],
  ];
  for (const [title, element, expected] of rows) {
    test(title, () => assert.equal(rewriteXml(`<r>${element}</r>`, rewrite), `${declaration}\n<r>${expected}</r>`));
  }
});

suite("an XML answer that can be read in two ways reaches nobody", () => {
  const rows: readonly string[] = [
    `<!DOCTYPE a [<!ENTITY h "mail.internal">]><a>&h;</a>`,
    "<!DOCTYPE html><html></html>",
    "<a>&h;</a>",
    "<a>&#0;</a>",
    "<a>&#xD800;</a>",
    "<a>&#1114112;</a>",
    "<a>& b</a>",
    `<a b="&h;"></a>`,
    "<a><b></a></b>",
    "<a>",
    "<a></a><b></b>",
    "<a></a>text",
    "text",
    "",
    "<a>x<b></b></a>",
    "<a><b></b>x</a>",
    "<a b></a>",
    "<a b=c></a>",
    `<a b="<"></a>`,
    "<a></a b>",
    "</a>",
    "< a></a>",
    "<a><!-- </a>",
    "<a><![CDATA[x</a>",
    "<a>\u0000</a>",
    `<?xml version="1.0" encoding="utf-16"?><a></a>`,
    `<?xml version="1.0" encoding='utf-7'?><a></a>`,
    "<a>".repeat(33) + "</a>".repeat(33),
  ];
  for (const document of rows) {
    test(JSON.stringify(document.slice(0, 60)), () => assert.throws(() => readXml(document), refused));
  }

  test("at any depth up to 32 it is read", () => {
    assert.equal(readXml("<a>".repeat(32) + "</a>".repeat(32)).length, 64);
  });

  test("cut short at any byte it is refused", () => {
    const document = mobileSync("https://mail.internal/Microsoft-Server-ActiveSync").trim();
    for (let length = 0; length < document.length; length += 1) {
      assert.throws(() => readXml(document.slice(0, length)), refused, document.slice(0, length));
    }
  });

  test("a megabyte of anything is read or refused within a second", () => {
    const bulk = [
      "<",
      "<a ",
      "<a b='",
      "<!--",
      "&",
      "&#",
      "<a b=''",
      " ",
      "<a\n",
      "<![CDATA[",
      "]]>",
      "<?",
      "<a x='y' ",
    ];
    for (const piece of bulk) {
      const started = performance.now();
      const document = `<a>${piece.repeat(Math.floor(1_048_576 / piece.length))}`;
      assert.throws(() => readXml(document), refused);
      assert.ok(performance.now() - started < 1000, piece);
    }
  });

  test("what was rewritten holds no upstream host, and rewriting it again changes nothing", () => {
    const text = fc.constantFrom(
      "https://",
      "mail.internal",
      "/Microsoft-Server-ActiveSync",
      "x.example",
      " ",
      "&amp;",
      "&#46;",
      "<!--c-->",
      "<![CDATA[https://mail.internal/]]>",
    );
    const leaf = fc
      .tuple(fc.constantFrom("Url", "Name", "Server", "x:Type", "Note"), fc.array(text, { maxLength: 4 }))
      .map(([name, texts]) => `<${name}>${texts.join("")}</${name}>`);
    fc.assert(
      fc.property(fc.array(leaf, { maxLength: 6 }), (leaves) => {
        const once = rewriteXml(`<a><b>${leaves.join("")}</b></a>`, rewrite);
        assert.equal(rewriteXml(once, rewrite), once);
        for (const part of readXml(once)) {
          if (part.kind !== "text" || !/^\s*https?:/i.test(part.text) || !URL.canParse(part.text)) continue;
          assert.notEqual(new URL(part.text).hostname, "mail.internal");
        }
      }),
      { numRuns: 1000 },
    );
  });
});

suite("a JSON answer names the gate", () => {
  const rows: readonly (readonly [title: string, before: unknown, after: unknown])[] = [
    [
      "ActiveSync",
      { Protocol: "ActiveSync", Url: "https://mail.internal/Microsoft-Server-ActiveSync" },
      { Protocol: "ActiveSync", Url: gate },
    ],
    [
      "ActiveSync elsewhere",
      { Protocol: "ActiveSync", Url: "https://eas.office.example/x" },
      { Protocol: "ActiveSync", Url: gate },
    ],
    ["in other letters", { protocol: "activesync", url: "eas" }, { protocol: "activesync", url: gate }],
    [
      "Exchange Web Services",
      { Protocol: "Ews", Url: "https://mail.internal/EWS/Exchange.asmx" },
      { Protocol: "Ews", Url: "https://mail.corp.example/EWS/Exchange.asmx" },
    ],
    [
      "a public server elsewhere",
      { Protocol: "Rest", Url: "https://outlook.example/api" },
      { Protocol: "Rest", Url: "https://outlook.example/api" },
    ],
    ["somewhere inside", { a: [{ b: "http://mail.internal/c" }] }, { a: [{ b: "https://mail.corp.example/c" }] }],
    [
      "an error",
      { ErrorCode: "ProtocolNotSupported", ErrorMessage: "no" },
      { ErrorCode: "ProtocolNotSupported", ErrorMessage: "no" },
    ],
  ];
  for (const [title, before, after] of rows) {
    test(title, () => assert.deepEqual(JSON.parse(rewriteJson(JSON.stringify(before), rewrite)), after));
  }

  test("a name that comes twice has one value afterwards", () => {
    const twice = `{"Protocol":"Ews","Url":"https://a.example/","Url":"https://mail.internal/x"}`;
    assert.equal(rewriteJson(twice, rewrite), `{"Protocol":"Ews","Url":"https://mail.corp.example/x"}`);
  });

  test("what is no JSON, or has no bottom, reaches nobody", () => {
    for (const document of ["", "{", "<a/>", "[".repeat(200_000), "[".repeat(200_000) + "]".repeat(200_000)]) {
      assert.throws(() => rewriteJson(document, rewrite), refused);
    }
  });
});

function refused(error: unknown): boolean {
  return error instanceof UpstreamFailure && error.code === "upstream-answer-refused";
}
