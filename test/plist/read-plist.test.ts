import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { PLIST_LIMIT_BYTES, PLIST_VALUES_LIMIT, readPlist, UnreadablePlist } from "../../src/plist/read-plist.ts";
import { plistDoctype } from "../../src/plist/value.ts";
import type { PlistValue } from "../../src/plist/value.ts";
import { writePlist } from "../../src/plist/write-plist.ts";
import { DEPTH_LIMIT } from "../../src/xml/read-xml.ts";
import { plistValue } from "../support/plist-values.ts";

const head = `<?xml version="1.0" encoding="UTF-8"?>\n${plistDoctype}\n`;
const listOf = (content: string): string => `${head}<plist version="1.0">${content}</plist>`;
const read = (text: string): PlistValue => readPlist(Buffer.from(text));
const dictionary = (...entries: readonly (readonly [string, PlistValue])[]): PlistValue => new Map(entries);

suite("a list says", () => {
  const rows: readonly (readonly [content: string, value: PlistValue])[] = [
    ["<string/>", ""],
    ["<string></string>", ""],
    ["<string> a b\t</string>", " a b\t"],
    ["<string>a &amp; b &lt;c&gt; &#8211; &#x1F600; &quot;&apos;</string>", "a & b <c> – 😀 \"'"],
    ["<string>&amp;lt;</string>", "&lt;"],
    ["<string>one\r\ntwo\rthree&#13;</string>", "one\ntwo\nthree\r"],
    ["<true/>", true],
    ["<false></false>", false],
    ["<integer>0</integer>", 0n],
    ["<integer>-9223372036854775808</integer>", -(2n ** 63n)],
    ["<integer>18446744073709551615</integer>", 2n ** 64n - 1n],
    ["<real>-1.5e3</real>", -1500],
    ["<date>2026-11-28T06:00:00Z</date>", new Date("2026-11-28T06:00:00Z")],
    ["<data>\n\tAAEC\n\t/w==\n\t</data>", new Uint8Array([0, 1, 2, 255])],
    ["<data/>", new Uint8Array()],
    ["<array/>", []],
    ["<array>\n\t<string>a</string> <!-- between --> <array><true/></array></array>", ["a", [true]]],
    ["<dict/>", new Map()],
    [
      "<dict><key>b</key><string>1</string>\n<key>a</key><dict><key/><false/></dict></dict>",
      dictionary(["b", "1"], ["a", dictionary(["", false])]),
    ],
    [
      "<dict><key>__proto__</key><string>x</string><key>constructor</key><true/></dict>",
      dictionary(["__proto__", "x"], ["constructor", true]),
    ],
  ];
  for (const [content, value] of rows) test(content, () => assert.deepEqual(read(listOf(content)), value));

  test("the same without the DOCTYPE, without the declaration, and with a byte order mark", () => {
    for (const text of [
      `<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><true/></plist>`,
      `<plist version="1.0"><true/></plist>`,
      `<plist><true/></plist>`,
      `\ufeff${listOf("<true/>")}`,
      `${listOf("<true/>")}\n<!-- the end -->\n`,
    ])
      assert.equal(read(text), true, text);
  });
});

suite("a list that can be read in two ways, or is none, is not read", () => {
  const app = "<key>Identifier</key><string>com.zhiliaoapp.musically</string>";
  const rows: readonly (readonly [attack: string, body: string | Uint8Array])[] = [
    ["nothing", ""],
    ["JSON", "{}"],
    ["binary", Buffer.from("bplist00\u00d1\u0001\u0002", "latin1")],
    ["the text form of old", "{ Identifier = x; }"],
    ["gzip", new Uint8Array([0x1f, 0x8b, 8, 0])],
    ["UTF-16", Buffer.from(`\ufeff${listOf("<true/>")}`, "utf16le")],
    ["bytes that are no UTF-8", Buffer.from(listOf("<string>\u00e9</string>"), "latin1")],
    ["a key twice", listOf(`<dict>${app}${app.replace("com.zhiliaoapp.musically", "x")}</dict>`)],
    ["a key twice, spelled by a reference", listOf(`<dict>${app}<key>&#73;dentifier</key><string>x</string></dict>`)],
    ["a key without a value", listOf("<dict><key>a</key></dict>")],
    ["a key behind a key", listOf("<dict><key>a</key><key>b</key><true/></dict>")],
    ["a value without a key", listOf("<dict><true/></dict>")],
    ["two values of a key", listOf("<dict><key>a</key><true/><false/></dict>")],
    ["a key outside of a dictionary", listOf("<array><key>a</key></array>")],
    ["two values", listOf("<true/><false/>")],
    ["no value", listOf("")],
    ["no plist around it", `${head}<dict/>`],
    ["another root", `${head}<list><true/></list>`],
    ["two roots", `${listOf("<true/>")}<plist><false/></plist>`],
    ["another version", `${head}<plist version="0.9"><true/></plist>`],
    ["an attribute of the root", `${head}<plist version="1.0" x="1"><true/></plist>`],
    ["another attribute of the root", `${head}<plist x="1.0"><true/></plist>`],
    ["an attribute", listOf(`<string xml:space="preserve">a</string>`)],
    ["a namespace", `${head}<plist xmlns="urn:x" version="1.0"><true/></plist>`],
    ["a prefix", `${head}<p:plist xmlns:p="urn:x"><true/></p:plist>`],
    ["a name in another case", listOf("<String>a</String>")],
    ["an element of nobody", listOf("<set/>")],
    ["a uid", listOf("<dict><key>CF$UID</key><uid>1</uid></dict>")],
    ["text beside elements", listOf("<array>x<true/></array>")],
    ["CDATA beside elements", listOf("<array><![CDATA[ ]]><true/></array>")],
    ["white space of JavaScript only beside elements", listOf("<array>\u00a0<true/></array>")],
    ["a comment in a text", listOf("<string>com.zhiliao<!-- -->app.musically</string>")],
    ["a comment in front of a text", listOf("<string><!-- -->a</string>")],
    ["a comment alone in a text", listOf("<string><!-- --></string>")],
    ["CDATA in a text", listOf("<string><![CDATA[a]]></string>")],
    ["CDATA behind a text", listOf("<string>a<![CDATA[b]]></string>")],
    ["an element in a text", listOf("<string>a<b/></string>")],
    ["an element in a truth value", listOf("<true><string/></true>")],
    ["text in a truth value", listOf("<false> </false>")],
    ["an integer with white space", listOf("<integer> 1</integer>")],
    ["an empty integer", listOf("<integer/>")],
    ["a hexadecimal integer", listOf("<integer>0x10</integer>")],
    ["an integer with a point", listOf("<integer>1.0</integer>")],
    ["an integer too large", listOf("<integer>18446744073709551616</integer>")],
    ["an integer too small", listOf("<integer>-9223372036854775809</integer>")],
    ["a real that is none", listOf("<real>nan</real>")],
    ["an endless real", listOf("<real>1e999</real>")],
    ["a day that there is not", listOf("<date>2026-02-30T00:00:00Z</date>")],
    ["a year that there was not", listOf("<date>0000-01-01T00:00:00Z</date>")],
    ["a date without a zone", listOf("<date>2026-02-03T00:00:00</date>")],
    ["data without padding", listOf("<data>AAEC/w</data>")],
    ["data with bits behind its end", listOf("<data>AAEC/x==</data>")],
    ["data of another alphabet", listOf("<data>__8=</data>")],
    ["an internal subset", listOf("<true/>").replace(plistDoctype, "<!DOCTYPE plist []>")],
    [
      "an entity",
      listOf("<string>&e;</string>").replace(plistDoctype, `<!DOCTYPE plist [<!ENTITY e "com.zhiliaoapp.musically">]>`),
    ],
    [
      "an entity of a file",
      listOf("<string>&e;</string>").replace(
        plistDoctype,
        `<!DOCTYPE plist [<!ENTITY e SYSTEM "file:///etc/passwd">]>`,
      ),
    ],
    [
      "Apple's DOCTYPE with a subset",
      listOf("<true/>").replace(plistDoctype, `${plistDoctype.slice(0, -1)} [<!ENTITY e "x">]>`),
    ],
    ["a DOCTYPE of somebody else", listOf("<true/>").replace("http://www.apple.com/", "http://attacker.example/")],
    ["a DOCTYPE twice", listOf("<true/>").replace(plistDoctype, plistDoctype + plistDoctype)],
    ["a DOCTYPE in the middle", listOf(`<array>${plistDoctype}</array>`)],
    ["a DOCTYPE at the end", listOf("<true/>") + plistDoctype],
    ["something behind the root", `${listOf("<true/>")}x`],
    ["something malformed behind the root", `${listOf("<true/>")}<!-- -- -->`],
  ];
  for (const [attack, body] of rows)
    test(attack, () => assert.throws(() => readPlist(Buffer.from(body)), UnreadablePlist));

  test("the refusal of the binary form says that it is one", () => {
    assert.throws(() => readPlist(Buffer.from("bplist00")), /binary/);
  });

  test("a list cut at any of its bytes", () => {
    const whole = Buffer.from(listOf(`<dict><key>ä</key><array><string>b &amp;</string><true/></array></dict>`));
    for (let length = 0; length < whole.length; length += 1)
      assert.throws(() => readPlist(whole.subarray(0, length)), UnreadablePlist, String(length));
  });

  test("nothing else is ever thrown, whatever comes", () => {
    const pieces = [
      "<",
      ">",
      "/",
      "dict",
      "key",
      "string",
      "array",
      "true",
      "&",
      ";",
      "<!--",
      "-->",
      "<![CDATA[",
      "]]>",
    ];
    const tags = ["dict", "key", "string", "array", "integer", "date", "data", "real", "true"].flatMap((name) => [
      `<${name}>`,
      `</${name}>`,
      `<${name}/>`,
    ]);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces, ...tags, "1", " "), { maxLength: 40 }), (parts) => {
        try {
          read(listOf(parts.join("")));
        } catch (error) {
          assert.ok(error instanceof UnreadablePlist);
        }
      }),
    );
  });
});

suite("what is written is read as it was", () => {
  test("whatever it is", () => {
    fc.assert(fc.property(plistValue, (each) => assert.deepEqual(read(writePlist(each)), each)));
  });

  test("what a list cannot say is not written", () => {
    for (const each of [
      "\u0000",
      "\u001b",
      "\ud800",
      2n ** 64n,
      Number.NaN,
      new Date("+010000-01-01"),
      new Date("0000-01-01"),
      new Date(Number.NaN),
    ])
      assert.throws(() => writePlist(each), RangeError);
  });
});

suite("limits, at the last that passes and one past it", () => {
  test("bytes", () => {
    const around = listOf("<string></string>").length;
    const filled = (bytes: number): string => listOf(`<string>${"x".repeat(bytes - around)}</string>`);
    assert.equal(read(filled(PLIST_LIMIT_BYTES)), "x".repeat(PLIST_LIMIT_BYTES - around));
    assert.throws(() => read(filled(PLIST_LIMIT_BYTES + 1)), UnreadablePlist);
  });

  test("values and keys", () => {
    const items = (count: number): string => listOf(`<array>${"<true/>".repeat(count - 1)}</array>`);
    assert.ok(Array.isArray(read(items(PLIST_VALUES_LIMIT))));
    assert.throws(() => read(items(PLIST_VALUES_LIMIT + 1)), /too many/);
    const pairs = (count: number): string =>
      listOf(`<dict>${Array.from({ length: count }, (_, index) => `<key>${index}</key><true/>`).join("")}</dict>`);
    assert.ok(read(pairs(PLIST_VALUES_LIMIT / 2 - 1)) instanceof Map);
    assert.throws(() => read(pairs(PLIST_VALUES_LIMIT / 2)), /too many/);
  });

  test("depth", () => {
    const nested = (depth: number): string => listOf("<array>".repeat(depth - 1) + "</array>".repeat(depth - 1));
    assert.ok(Array.isArray(read(nested(DEPTH_LIMIT))));
    assert.throws(() => read(nested(DEPTH_LIMIT + 1)), UnreadablePlist);
    assert.throws(() => read(listOf("<array>".repeat(100_000))), UnreadablePlist);
  });
});
