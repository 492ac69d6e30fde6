import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { element } from "../../src/activesync/document.ts";
import { decode, decodeRootTag, encode, ROOT_TAG_BYTES } from "../../src/activesync/wbxml.ts";
import type { Element, TagName, WbxmlErrorCode } from "../../src/activesync/wbxml.ts";
import { captures } from "../support/captures.ts";
import { refusalBy, refusalOf } from "../support/wbxml-refusal.ts";

const header = "03016a00";

// Z-Push ended this answer within its elements, after an error of its own.
const cutOff = "113-provision.response.wbxml";
const whole = captures.filter(({ file }) => file !== cutOff);

// pyActiveSync begins a Sync with a switch to page 0, which is in force anyway.
const needlessSwitch = [43, 44, 45, 49].map((number) => `0${number}-sync.request.wbxml`);

/** Hex may be written with spaces where they help to read it. */
function plain(hex: string): string {
  return hex.replaceAll(/\s/g, "");
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(plain(hex), "hex");
}

function document(hex: string): Buffer {
  return bytesOf(header + hex);
}

function encodedAs(root: Element): string {
  const hex = encode(root).toString("hex");
  assert.ok(hex.startsWith(header));
  return hex.slice(header.length);
}

/** Elements within elements, the root being one of them. */
function nested(depth: number): Element {
  let innermost = element("AirSync:Sync");
  for (let level = 1; level < depth; level += 1) innermost = element("AirSync:Sync", innermost);
  return innermost;
}

function nestedBytes(depth: number): Buffer {
  return document("45".repeat(depth - 1) + "05" + "01".repeat(depth - 1));
}

function wideBytes(nodes: number): Buffer {
  return document(`45${"05".repeat(nodes - 1)}01`);
}

suite("what real clients and servers send", () => {
  test("is all there", () => {
    assert.equal(captures.length, 206);
    assert.deepEqual([...new Set(captures.map(({ client }) => client))].sort(), [
      "curl",
      "go-activesync",
      "jsas",
      "pyActiveSync",
    ]);
    assert.deepEqual([...new Set(captures.map(({ server }) => server))].sort(), ["sogo", "zpush"]);
  });

  test("encodes to the bytes that it was decoded from", () => {
    for (const { file, bytes } of whole) {
      if (needlessSwitch.includes(file)) continue;
      assert.equal(encode(decode(bytes)).toString("hex"), bytes.toString("hex"), file);
    }
  });

  test("loses a needless switch of the code page, and nothing else", () => {
    const found = whole.filter(({ file }) => needlessSwitch.includes(file));
    assert.equal(found.length, needlessSwitch.length);
    for (const { file, bytes } of found) {
      const hex = bytes.toString("hex");
      assert.ok(hex.startsWith(`${header}0000`), file);
      assert.equal(encodedAs(decode(bytes)), hex.slice(`${header}0000`.length), file);
    }
  });

  test("is refused where it is cut off", () => {
    const found = captures.filter(({ file }) => file === cutOff);
    assert.deepEqual(
      found.map(({ bytes }) => refusalOf(bytes)),
      [{ code: "truncated", offset: 32 }],
    );
  });

  test("names its root element within its first seven bytes", () => {
    for (const { file, bytes } of whole) {
      assert.equal(decodeRootTag(bytes.subarray(0, ROOT_TAG_BYTES)), decode(bytes).tag, file);
    }
  });

  test("is refused when it is cut at any byte", () => {
    const cut = new Set<WbxmlErrorCode | undefined>(["truncated", "string-unterminated", "opaque-past-end"]);
    for (const { file, bytes } of whole) {
      for (let length = 0; length < bytes.length; length += 1) {
        const refusal = refusalOf(bytes.subarray(0, length));
        assert.ok(cut.has(refusal?.code), `${file} cut to ${length} bytes: ${refusal?.code}`);
      }
    }
  });

  test("reads the same wherever it lies in memory", () => {
    for (const { file, bytes } of whole) {
      const memory = new Uint8Array(bytes.length + 17).fill(0xc3);
      memory.set(bytes, 11);
      assert.deepEqual(decode(memory.subarray(11, 11 + bytes.length)), decode(bytes), file);
    }
  });
});

suite("what has more than one spelling", () => {
  const emptyForms: readonly (readonly [title: string, hex: string, expected: Element])[] = [
    ["without an end", "05", { tag: "AirSync:Sync", content: [] }],
    ["with an end", "4501", { tag: "AirSync:Sync", content: [], endTag: true }],
    ["with an empty string", "45030001", { tag: "AirSync:Sync", content: [""] }],
    ["with no bytes", "45c30001", { tag: "AirSync:Sync", content: [new Uint8Array()] }],
  ];
  for (const [title, hex, expected] of emptyForms) {
    test(`an empty element ${title} is forwarded as such`, () => {
      assert.deepEqual(decode(document(hex)), expected);
      assert.equal(encodedAs(expected), plain(hex));
    });
  }

  test("an element that is not empty has one end, whatever it says of itself", () => {
    assert.equal(encodedAs({ tag: "AirSync:SyncKey", content: ["1"], endTag: true }), "4b03310001");
  });

  test("text may come as a string or as bytes", () => {
    assert.deepEqual(decode(document("4b03310001")), element("AirSync:SyncKey", "1"));
    assert.deepEqual(decode(document("4bc3013101")), element("AirSync:SyncKey", Uint8Array.of(0x31)));
  });

  test("strings side by side are forwarded as one", () => {
    const pieces = decode(document("4b0331000332000300 0333c3a90001"));
    assert.deepEqual(pieces.content, ["1", "2", "", "3é"]);
    assert.equal(encodedAs(pieces), "4b03313233c3a90001");
  });

  test("strings with something between them stay apart", () => {
    const hex = "4b033100c301320333000503340001";
    assert.equal(encodedAs(decode(document(hex))), plain(hex));
  });
});

suite("a code page", () => {
  test("stays in force across ends and siblings", () => {
    const hex = "450002 4f03610001 0f 01";
    const expected = element("AirSync:Sync", element("Email:DateReceived", "a"), element("Email:DateReceived"));
    assert.deepEqual(decode(document(hex)), expected);
    assert.equal(encodedAs(expected), plain(hex));
  });

  test("is switched back where a sibling needs it", () => {
    const hex = "4500020f 00000f 01";
    const expected = element("AirSync:Sync", element("Email:DateReceived"), element("AirSync:Collection"));
    assert.deepEqual(decode(document(hex)), expected);
    assert.equal(encodedAs(expected), plain(hex));
  });

  test("that nobody has published gives its tags numbers for names, and they are forwarded", () => {
    const hex = "00fe450701";
    const expected = element("254:0x05", element("254:0x07"));
    assert.deepEqual(decode(document(hex)), expected);
    assert.equal(encodedAs(expected), plain(hex));
  });

  test("may have tags that nobody has published", () => {
    const hex = "455403310001 00193f 01";
    const expected = element("AirSync:Sync", element("AirSync:MoreAvailable", "1"), element("25:0x3f"));
    assert.deepEqual(decode(document(hex)), expected);
    assert.equal(encodedAs(expected), plain(hex));
  });
});

suite("refused is", () => {
  const refused: readonly (readonly [title: string, hex: string, code: WbxmlErrorCode, offset: number])[] = [
    ["an empty body", "", "truncated", 0],
    ["half a header", "0301", "truncated", 2],
    ["a header alone", "03016a00", "truncated", 4],
    ["WBXML 1.2", "02016a0005", "header-refused", 0],
    ["HTML", "3c68746d6c3e", "header-refused", 0],
    ["what gzip has compressed", "1f8b080000000000", "header-refused", 0],
    ["a public id that ActiveSync does not have", "03026a0005", "header-refused", 1],
    ["a public id in the string table", "0300006a0005", "header-refused", 1],
    ["a padded public id", "0380016a0005", "header-refused", 1],
    ["Latin 1", "0301040005", "header-refused", 2],
    ["a string table", "03016a026100 05", "string-table-refused", 3],
    ["an end without a beginning", "03016a0001", "token-refused", 4],
    ["a string without an element", "03016a00033100", "token-refused", 4],
    ["bytes without an element", "03016a00c30131", "token-refused", 4],
    ["a tag with attributes", "03016a0085 0133 01", "attributes-refused", 4],
    ["a tag with attributes and content", "03016a0045ff0101", "attributes-refused", 5],
    ["a second switch of the page", "03016a000002 000705", "page-switch-misplaced", 4],
    ["a switch before an end", "03016a0045000201", "page-switch-misplaced", 5],
    ["a switch before a string", "03016a004b0000 03310001", "page-switch-misplaced", 5],
    ["a switch before bytes", "03016a004b0000 c3013101", "page-switch-misplaced", 5],
    ["a switch at the very end", "03016a00450002", "truncated", 7],
    ["a switch to nowhere", "03016a004500", "truncated", 6],
    ["an element without its end", "03016a004505", "truncated", 6],
    ["a string without its end", "03016a004b0331", "string-unterminated", 6],
    ["a string that ends within a letter", "03016a004b03c30001", "string-not-utf8", 6],
    ["the rest of a letter alone", "03016a004b03800001", "string-not-utf8", 6],
    ["a letter written too long", "03016a004b03c0af0001", "string-not-utf8", 6],
    ["half a surrogate pair", "03016a004b03eda0800001", "string-not-utf8", 6],
    ["Latin 1 in a string", "03016a004b03e90001", "string-not-utf8", 6],
    ["bytes that reach past the end", "03016a004bc3033101", "opaque-past-end", 6],
    ["bytes that nothing follows", "03016a004bc30131", "truncated", 8],
    ["a length of 32 bits", "03016a004bc38fffffff7f", "opaque-past-end", 6],
    ["a length of 35 bits", "03016a004bc3ffffffff7f", "opaque-past-end", 6],
    ["a length of six bytes", "03016a004bc381808080800001", "integer-refused", 6],
    ["a padded length", "03016a004bc380013101", "integer-refused", 6],
    ["a length that breaks off", "03016a004bc381", "truncated", 7],
    ["a second root", "03016a000505", "trailing-bytes", 5],
    ["an end too many", "03016a00450101", "trailing-bytes", 6],
    ["a byte after the end", "03016a000500", "trailing-bytes", 5],
  ];
  for (const [title, hex, code, offset] of refused) {
    test(title, () => assert.deepEqual(refusalOf(bytesOf(hex)), { code, offset }));
  }

  // ENTITY, LITERAL and its forms, PI, STR_T, and the extensions.
  const controlCodes = "02 04 40 41 42 43 44 80 81 82 83 84 c0 c1 c2 c4".split(" ");
  for (const controlCode of controlCodes) {
    test(`the control code 0x${controlCode}, which ActiveSync does not use`, () => {
      for (const before of ["", "45", "0007", "450007"]) {
        const refusal = refusalOf(document(`${before}${controlCode}0101010101`));
        const misplaced = before.endsWith("0007") && Number.parseInt(controlCode, 16) < 0x05;
        assert.equal(refusal?.code, misplaced ? "page-switch-misplaced" : "token-refused", before);
      }
    });
  }

  test("no byte in the place of a tag is left to chance", () => {
    // 59 tags with and without content on every page, and nothing else.
    let tags = 0;
    for (let byte = 0; byte <= 0xff; byte += 1) {
      const bytes = Buffer.from([...document("0015"), byte, 0x01]);
      if (refusalOf(bytes) === undefined || refusalOf(bytes)?.code === "trailing-bytes") tags += 1;
    }
    assert.equal(tags, 2 * 59);
  });
});

suite("limits", () => {
  test("32 elements within each other are read and written, 33 are not", () => {
    assert.deepEqual(decode(nestedBytes(32)), nested(32));
    assert.deepEqual(encode(nested(32)), nestedBytes(32));
    assert.deepEqual(refusalOf(nestedBytes(33)), { code: "too-deep", offset: 4 + 32 });
    assert.deepEqual(
      refusalBy(() => encode(nested(33))),
      { code: "too-deep", offset: 4 + 32 },
    );
  });

  test("an element that contains itself is not written for ever", () => {
    const content: Element[] = [];
    const endless: Element = { tag: "AirSync:Sync", content };
    content.push(endless);
    assert.equal(refusalBy(() => encode(endless))?.code, "too-deep");
  });

  test("100 000 nodes are read, one more is not", () => {
    assert.equal(decode(wideBytes(100_000)).content.length, 99_999);
    assert.deepEqual(refusalOf(wideBytes(100_001)), { code: "too-many-nodes", offset: 4 + 100_000 });
  });

  test("strings and bytes are nodes too", () => {
    const bytes = document("45 05 0300 c300 01");
    assert.equal(refusalOf(bytes, { nodes: 4 }), undefined);
    assert.deepEqual(refusalOf(bytes, { nodes: 3 }), { code: "too-many-nodes", offset: 8 });
    assert.deepEqual(refusalOf(bytes, { nodes: 2 }), { code: "too-many-nodes", offset: 6 });
    assert.deepEqual(refusalOf(bytes, { nodes: 1 }), { code: "too-many-nodes", offset: 5 });
  });

  test("a caller may set narrower ones", () => {
    assert.equal(refusalOf(encode(nested(3)), { depth: 3 }), undefined);
    assert.equal(refusalOf(encode(nested(3)), { depth: 2 })?.code, "too-deep");
  });
});

suite("encoding", () => {
  test("drops NUL from text, because a string ends there", () => {
    assert.equal(encodedAs(element("AirSync:SyncKey", "\0a\0\0b\0")), "4b0361620001");
    assert.equal(encodedAs(element("AirSync:SyncKey", "\0")), "4b030001");
  });

  test("keeps NUL in bytes", () => {
    assert.equal(encodedAs(element("AirSync:SyncKey", Uint8Array.of(0, 1, 0))), "4bc30300010001");
  });

  test("replaces half a surrogate pair", () => {
    assert.equal(encodedAs(element("AirSync:SyncKey", "a\ud83d")), "4b0361efbfbd0001");
  });

  test("keeps a byte order mark, which is text like any other", () => {
    const root = element("AirSync:SyncKey", "\ufeffa");
    assert.deepEqual(decode(encode(root)), root);
  });

  test("writes lengths in as few bytes as they need", () => {
    const lengths: readonly (readonly [length: number, hex: string])[] = [
      [0, "00"],
      [1, "01"],
      [127, "7f"],
      [128, "8100"],
      [16_383, "ff7f"],
      [16_384, "818000"],
      [2_097_151, "ffff7f"],
      [2_097_152, "81808000"],
    ];
    for (const [length, hex] of lengths) {
      const root = element("ComposeMail:Mime", new Uint8Array(length).fill(0x01));
      const bytes = encode(root);
      assert.equal(bytes.subarray(4, 8 + hex.length / 2).toString("hex"), `001550c3${hex}`);
      assert.deepEqual(decode(bytes), root);
    }
  });

  test("writes text of any length in any alphabet", () => {
    for (const letter of ["a", "é", "€", "😀", "a€"]) {
      for (const times of [1, 341, 342, 511, 512, 1023, 1024, 1025, 100_000]) {
        const root = element("AirSyncBase:Data", letter.repeat(times));
        assert.deepEqual(decode(encode(root)), root, `${times} times ${letter}`);
      }
    }
  });

  test("leaves what was written before alone when it needs more room", () => {
    const root = element(
      "AirSync:Sync",
      Array.from({ length: 5_000 }, (_, index) => element("AirSync:SyncKey", `${index}`)),
    );
    assert.deepEqual(decode(encode(root)), root);
  });

  const noTags: readonly TagName[] = [
    "0:0x05",
    "256:0x05",
    "-1:0x05",
    "1e2:0x05",
    "1.5:0x05",
    "0254:0x05",
    "254:0x5",
    "254:0x005",
    "254:0x04",
    "254:0x40",
    "254:0x1A",
    "254:0x",
    "254:0x5 ",
  ];
  for (const tag of noTags) {
    test(`knows no tag ${JSON.stringify(tag)}`, () => {
      assert.deepEqual(
        refusalBy(() => encode(element("AirSync:Sync", element(tag)))),
        {
          code: "tag-unknown",
          offset: 5,
        },
      );
    });
  }
});

suite("the root tag alone", () => {
  test("needs no more than the header and itself", () => {
    assert.equal(decodeRootTag(document("45")), "AirSync:Sync");
    assert.equal(decodeRootTag(document("000d45")), "Ping:Ping");
    assert.equal(decodeRootTag(document("00fe05")), "254:0x05");
    assert.equal(refusalBy(() => decodeRootTag(document("000d")))?.code, "truncated");
    assert.equal(refusalBy(() => decodeRootTag(Buffer.alloc(0)))?.code, "truncated");
  });

  test("is refused where the whole would be", () => {
    assert.equal(refusalBy(() => decodeRootTag(document("033100")))?.code, "token-refused");
    assert.equal(refusalBy(() => decodeRootTag(document("0000000d45")))?.code, "page-switch-misplaced");
    assert.equal(refusalBy(() => decodeRootTag(Buffer.from("3c68746d6c3e", "hex")))?.code, "header-refused");
  });
});
