/** The notice as an item of a mail folder: what is in it, in which order, and how much of it a phone wants. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { element } from "../../src/activesync/document.ts";
import { applicationData, bodyWishOf, mayWantMime, optionsIn } from "../../src/activesync/notice-item.ts";
import type { BodyWish, NoticeItem } from "../../src/activesync/notice-item.ts";
import { composeNotice } from "../../src/activesync/notice-mime.ts";
import { featuresOf } from "../../src/activesync/version.ts";
import type { ProtocolVersion } from "../../src/activesync/version.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { answered, collection, fromHex, hex, inbox, optional, sync, textsIn } from "../support/activesync-documents.ts";
import { aNotice } from "../support/remediation.ts";

const at = new Date("2026-01-02T03:04:05.000Z");
const anItem = (parts: Partial<NoticeItem> = {}): NoticeItem => ({
  notice: aNotice(),
  mime: undefined,
  to: "a@b.c",
  at,
  ...parts,
});
const plain: BodyWish = { type: "1", truncationBytes: undefined, allOrNone: false };

function data(item: NoticeItem, wish: BodyWish = plain, version: ProtocolVersion = "14.1"): Element {
  return element("AirSync:ApplicationData", ...applicationData(item, wish, featuresOf(version)));
}

suite("what is in the notice", () => {
  const names = [
    "Email:To",
    "Email:From",
    "Email:Subject",
    "Email:DateReceived",
    "Email:DisplayTo",
    "Email:ThreadTopic",
    "Email:Importance",
    "Email:Read",
    "AirSyncBase:Body",
    "Email:MessageClass",
    "Email:InternetCPID",
    "Email:Flag",
    "Email:ContentClass",
    "AirSyncBase:NativeBodyType",
  ];
  const conversation = ["Email2:ConversationId", "Email2:ConversationIndex"];

  for (const [version, expected] of [
    ["12.1", names],
    ["14.0", [...names, ...conversation]],
    ["14.1", [...names, ...conversation]],
  ] as const) {
    test(`stands in the order of the specification (${version})`, () => {
      const tags = applicationData(anItem(), plain, featuresOf(version)).map(({ tag }) => tag);
      assert.deepEqual(tags, expected);
    });
  }

  test("is, byte for byte, what is known by heart", () => {
    const golden = fromHex(`
      03016a00455c4f4b037b35303533353435312d303030302d343030302d383030302d3030303030303030303030317d3200
      0152033500014e0331000156474d03353a3230303030303030303100015d000256036140622e6300015803697440622e63
      000154035300014f03323032362d30312d30325430333a30343a30352e3030305a000151036140622e6300017503530001
      5203320001550330000100114a46033100014c033400014d033000014b03544558540001010002530349504d2e4e6f7465
      00017903363530303100013a7c0375726e3a636f6e74656e742d636c61737365733a6d6573736167650001001156033100
      01001649c310000102030405060708090a0b0c0d0e0f014ac305000102030401010101010101`);
    // That vector has a sender without a name, and a conversation of nobody's.
    const stand: ReadonlyMap<string, Element> = new Map([
      ["Email:From", element("Email:From", "it@b.c")],
      [
        "Email2:ConversationId",
        element(
          "Email2:ConversationId",
          Uint8Array.from({ length: 16 }, (_, index) => index),
        ),
      ],
      [
        "Email2:ConversationIndex",
        element(
          "Email2:ConversationIndex",
          Uint8Array.from({ length: 5 }, (_, index) => index),
        ),
      ],
    ]);
    const content = applicationData(anItem(), plain, featuresOf("14.0")).map((part) => stand.get(part.tag) ?? part);
    const add = element(
      "AirSync:Add",
      element("AirSync:ServerId", "5:2000000001"),
      element("AirSync:ApplicationData", ...content),
    );
    const folder = answered("{50535451-0000-4000-8000-000000000001}2", inbox, "1", element("AirSync:Commands", add));
    assert.equal(hex(element("AirSync:Sync", element("AirSync:Collections", folder))), hex(golden));
  });

  test("is from somebody with a name, whatever marks are in it", () => {
    for (const [name, expected] of [
      ["IT Security", '"IT Security" <it@b.c>'],
      ['The "IT" \\ team', '"The IT  team" <it@b.c>'],
      ["Müller & Söhne, IT", '"Müller & Söhne, IT" <it@b.c>'],
    ] as const) {
      const item = anItem({ notice: aNotice({ from: { name, address: "it@b.c" } }) });
      assert.deepEqual(textsIn(data(item), "Email:From"), [expected]);
    }
  });

  test("is the same whenever it is asked for", () => {
    assert.equal(hex(data(anItem())), hex(data(anItem())));
  });

  test("belongs to one conversation, whatever is said in it, and to no other person's", () => {
    const conversationOf = (item: NoticeItem): string => hex(partOf(data(item), "Email2:ConversationId"));
    const other = anItem({ notice: aNotice({ subject: "Other", text: "words" }), at: new Date(0) });
    assert.equal(conversationOf(other), conversationOf(anItem()));
    assert.notEqual(conversationOf(anItem({ to: "b@b.c" })), conversationOf(anItem()));
  });

  test("is ordered within its conversation by time", () => {
    const indexOf = (time: string): Buffer => {
      const [bytes] = partOf(data(anItem({ at: new Date(time) })), "Email2:ConversationIndex").content;
      assert.ok(bytes instanceof Uint8Array && bytes.byteLength === 5);
      return Buffer.from(bytes);
    };
    // The upper five of the eight bytes of 134 118 974 450 000 000, which is that moment in units of 100 ns since 1601.
    assert.equal(indexOf("2026-01-02T03:04:05.000Z").toString("hex"), fileTimeHead("2026-01-02T03:04:05.000Z"));
    assert.ok(indexOf("2026-11-24T12:00:00Z").compare(indexOf("2026-11-25T12:00:00Z")) < 0);
  });

  /** Days and seconds since 1601 counted by hand: 134 774 days lie between 1601 and 1970. */
  function fileTimeHead(time: string): string {
    const seconds = 134_774n * 86_400n + BigInt(Date.parse(time)) / 1000n;
    return (seconds * 10_000_000n).toString(16).padStart(16, "0").slice(0, 10);
  }
});

function partOf(parent: Element, tag: Element["tag"]): Element {
  for (const part of parent.content) if (typeof part === "object" && "tag" in part && part.tag === tag) return part;
  throw new Error(`no ${tag}`);
}

function preference(type: string, size?: string, allOrNone?: string): Element {
  return element(
    "AirSyncBase:BodyPreference",
    element("AirSyncBase:Type", type),
    optional("AirSyncBase:TruncationSize", size),
    optional("AirSyncBase:AllOrNone", allOrNone),
  );
}
const mime = (support: string): Element => element("AirSync:MIMESupport", support);
const options = (...parts: readonly Element[]): Element => element("AirSync:Options", ...parts);
const wish = (type: BodyWish["type"], truncationBytes?: number, allOrNone = false): BodyWish => ({
  type,
  truncationBytes,
  allOrNone,
});

suite("what a phone wants of a body", () => {
  const wishes: readonly (readonly [title: string, options: Element | undefined, expected: BodyWish])[] = [
    ["nothing said: plain text", undefined, wish("1")],
    ["options without a preference: plain text", options(mime("2")), wish("1")],
    ["plain text", options(preference("1")), wish("1")],
    ["HTML", options(preference("2")), wish("2")],
    ["MIME, from a phone that takes it for all mail", options(mime("2"), preference("4")), wish("4")],
    [
      "MIME, from a phone that takes it for signed mail only: plain text",
      options(mime("1"), preference("4")),
      wish("1"),
    ],
    ["MIME, from a phone that takes none: plain text", options(mime("0"), preference("4")), wish("1")],
    ["MIME, from a phone that does not say: plain text", options(preference("4")), wish("1")],
    ["rich text: plain text", options(preference("3")), wish("1")],
    ["rich text, else HTML", options(preference("3"), preference("2")), wish("2")],
    [
      "HTML, else plain text: the first counts",
      options(preference("2", "500"), preference("1", "100")),
      wish("2", 500),
    ],
    ["MIME that it does not take, else HTML", options(mime("0"), preference("4", "1"), preference("2")), wish("2")],
    ["so many bytes", options(preference("1", "200")), wish("1", 200)],
    ["no bytes", options(preference("1", "0")), wish("1", 0)],
    ["as many bytes as the number can say", options(preference("1", "4294967295")), wish("1", 4_294_967_295)],
    ["no number of bytes", options(preference("1", "many")), wish("1")],
    ["all or nothing", options(preference("2", "200", "1")), wish("2", 200, true)],
    ["not all or nothing", options(preference("2", "200", "0")), wish("2", 200)],
    ["a form that nobody knows", options(preference("9")), wish("1")],
  ];
  for (const [title, asked, expected] of wishes) {
    test(title, () => {
      assert.deepEqual(bodyWishOf(asked), expected);
    });
  }

  test("MIME is composed only for a request that may want it", () => {
    assert.equal(mayWantMime(sync({ id: inbox, options: [preference("4")] })), true);
    assert.equal(mayWantMime(sync({ id: inbox }, { id: "6", options: [preference("1"), preference("4")] })), true);
    assert.equal(mayWantMime(sync({ id: inbox, options: [mime("2"), preference("2")] })), false);
    assert.equal(mayWantMime(sync({ id: inbox })), false);
  });

  test("what it wants of text messages is not what it wants of mail", () => {
    const asked = collection({ key: "1", id: inbox });
    const short = options(element("AirSync:Class", "SMS"), preference("1", "70"));
    const mail = options(element("AirSync:Class", "Email"), preference("2"));
    for (const order of [
      [short, mail],
      [mail, short],
    ]) {
      const found = optionsIn({ ...asked, content: [...asked.content, ...order] }, "AirSync:Options");
      assert.deepEqual(bodyWishOf(found), wish("2"));
    }
    assert.equal(optionsIn({ ...asked, content: [short] }, "AirSync:Options"), undefined);
  });
});

suite("the body of the notice", () => {
  const body = (item: NoticeItem, wish: BodyWish): Readonly<Record<string, string | undefined>> => {
    const found = partOf(data(item, wish), "AirSyncBase:Body");
    const [type, size, truncated, text] = [
      textsIn(found, "AirSyncBase:Type")[0],
      textsIn(found, "AirSyncBase:EstimatedDataSize")[0],
      textsIn(found, "AirSyncBase:Truncated")[0],
      textsIn(found, "AirSyncBase:Data")[0],
    ];
    return { type, size, truncated, text, native: textsIn(data(item, wish), "AirSyncBase:NativeBodyType")[0] };
  };
  const notice = aNotice({ text: "Grüße", html: "<b>Grüße</b>" });

  test("is plain text, HTML or the whole message, as it is wanted", () => {
    const item = anItem({ notice, mime: "MIME-Version: 1.0\r\n\r\nx" });
    assert.deepEqual(body(item, wish("1")), { type: "1", size: "7", truncated: "0", text: "Grüße", native: "1" });
    assert.deepEqual(body(item, wish("2")), {
      type: "2",
      size: "14",
      truncated: "0",
      text: "<b>Grüße</b>",
      native: "2",
    });
    assert.deepEqual(body(item, wish("4")), {
      type: "4",
      size: "22",
      truncated: "0",
      text: "MIME-Version: 1.0\r\n\r\nx",
      native: "2",
    });
  });

  test("has its parts in the order of the specification", () => {
    assert.deepEqual(
      partOf(data(anItem()), "AirSyncBase:Body"),
      element(
        "AirSyncBase:Body",
        element("AirSyncBase:Type", "1"),
        element("AirSyncBase:EstimatedDataSize", "4"),
        element("AirSyncBase:Truncated", "0"),
        element("AirSyncBase:Data", "TEXT"),
      ),
    );
  });

  test("is whole as long as it fits, and cut from the first byte that does not", () => {
    const item = anItem({ notice });
    assert.deepEqual(body(item, wish("1", 7)), { type: "1", size: "7", truncated: "0", text: "Grüße", native: "1" });
    assert.deepEqual(body(item, wish("1", 6)), { type: "1", size: "7", truncated: "1", text: "Grüß", native: "1" });
    assert.deepEqual(body(item, wish("1", 5)), { type: "1", size: "7", truncated: "1", text: "Grü", native: "1" });
    assert.deepEqual(body(item, wish("1", 0)), { type: "1", size: "7", truncated: "1", text: "", native: "1" });
  });

  test("is left out rather than cut for a phone that wants all or nothing", () => {
    const item = anItem({ notice });
    assert.deepEqual(body(item, wish("1", 6, true)), {
      type: "1",
      size: "7",
      truncated: "1",
      text: undefined,
      native: "1",
    });
    assert.equal(body(item, wish("1", 7, true))["text"], "Grüße");
  });

  test("is never cut within a character", () => {
    const anyText = fc.string({ unit: "binary", maxLength: 60 }).map((text) => text.replaceAll("\0", ""));
    fc.assert(
      fc.property(anyText, fc.nat({ max: 200 }), (text, limit) => {
        const { text: kept = "", size, truncated } = body(anItem({ notice: aNotice({ text }) }), wish("1", limit));
        assert.ok(text.startsWith(kept), "a beginning of the text");
        assert.ok(Buffer.byteLength(kept) <= limit, "no longer than what is wanted");
        // The next character would not have fitted: there is none of more than four bytes.
        assert.ok(kept === text || Buffer.byteLength(kept) > limit - 4, "no shorter than it must be");
        assert.equal(size, String(Buffer.byteLength(text)));
        assert.equal(truncated, kept === text ? "0" : "1");
      }),
      {
        examples: [
          ["\ufeffa", 3],
          ["\ufeffab", 4],
          ["😀😀", 7],
        ],
      },
    );
  });
});

suite("the notice as a message", () => {
  const compose = (to: string): Promise<string> =>
    composeNotice(aNotice({ text: "Grüße\r\n", html: "<p>Grüße</p>" }), to, at);

  test("has sender, recipient, subject and date, and asks for no answer", async () => {
    const text = await compose("a@b.c");
    for (const line of [
      /^From: IT <it@b\.c>$/m,
      /^To: a@b\.c$/m,
      /^Subject: S$/m,
      /^Date: Fri, 02 Jan 2026 03:04:05 \+0000$/m,
      /^Auto-Submitted: auto-generated$/m,
      /^Message-ID: <[0-9a-f]{32}@postern\.invalid>$/m,
      /^Content-Type: multipart\/alternative;/m,
    ]) {
      assert.match(text.replaceAll("\r\n", "\n"), line);
    }
  });

  test("is the same whenever it is composed", async () => {
    assert.equal(await compose("a@b.c"), await compose("a@b.c"));
    assert.notEqual(await compose("b@b.c"), await compose("a@b.c"));
  });

  test("has an address even for a person of whom only an account is known", async () => {
    assert.match(await compose("alice"), /^To: alice <alice@invalid>\r$/m);
  });
});
