/** The notice as an item of a mail folder: what is in it, in which order, and how much of it a phone wants. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { element } from "../../src/activesync/document.ts";
import { bodyWishOf, mayWantMime, optionsIn, wholly } from "../../src/activesync/body-wish.ts";
import type { BodyPreference, BodyWish } from "../../src/activesync/body-wish.ts";
import { applicationData } from "../../src/activesync/notice-item.ts";
import type { NoticeItem } from "../../src/activesync/notice-item.ts";
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
const plain: BodyWish = { kind: "preferences", preferences: [], part: undefined };
const plainIn25: BodyWish = { kind: "email", mime: false, limitCharacters: undefined };

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

  const namesIn25 = [
    ...names.slice(0, 8),
    "Email:Body",
    "Email:BodySize",
    "Email:BodyTruncated",
    "Email:MessageClass",
    "Email:InternetCPID",
  ];

  for (const [version, expected] of [
    ["2.5", namesIn25],
    ["12.0", names],
    ["12.1", names],
    ["14.0", [...names, ...conversation]],
    ["14.1", [...names, ...conversation]],
    ["16.0", [...names, ...conversation]],
    ["16.1", [...names, ...conversation]],
  ] as const) {
    test(`stands in the order of the specification (${version})`, () => {
      const wish = bodyWishOf(undefined, featuresOf(version));
      const tags = applicationData(anItem(), wish, featuresOf(version)).map(({ tag }) => tag);
      assert.deepEqual(tags, expected);
    });
  }

  test("in 2.5 is a whole message with its size, for a phone that takes all mail so", () => {
    const wish: BodyWish = { kind: "email", mime: true, limitCharacters: undefined };
    const parts = applicationData(anItem({ mime: "A: b\r\n\r\nü" }), wish, featuresOf("2.5"));
    assert.deepEqual(parts.slice(8), [
      element("Email:MIMETruncated", "0"),
      element("Email:MIMEData", "A: b\r\n\r\nü"),
      element("Email:MIMESize", "10"),
      element("Email:MessageClass", "IPM.Note"),
      element("Email:InternetCPID", "65001"),
    ]);
  });

  test("in 2.5 is cut after so many characters, and never within one", () => {
    const item = anItem({ notice: aNotice({ text: "a😀ü" }), mime: "😀😀😀" });
    const cut = (mime: boolean, limitCharacters: number): Element[] =>
      applicationData(item, { kind: "email", mime, limitCharacters }, featuresOf("2.5")).slice(8, 11);
    const body = (text: string, truncated: string): Element[] => [
      element("Email:Body", text),
      element("Email:BodySize", "7"),
      element("Email:BodyTruncated", truncated),
    ];
    assert.deepEqual(cut(false, 3), body("a😀ü", "0"));
    assert.deepEqual(cut(false, 2), body("a😀", "1"));
    assert.deepEqual(cut(false, 0), body("", "1"));
    assert.deepEqual(cut(true, 2), [
      element("Email:MIMETruncated", "1"),
      element("Email:MIMEData", "😀😀"),
      element("Email:MIMESize", "12"),
    ]);
  });

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
const preferred = (
  type: BodyPreference["type"],
  truncationBytes?: number,
  allOrNone = false,
  previewCharacters = 0,
): BodyPreference => ({ type, truncationBytes, allOrNone, previewCharacters });
const wish = (...preferences: readonly BodyPreference[]): Extract<BodyWish, { kind: "preferences" }> => ({
  kind: "preferences",
  preferences,
  part: undefined,
});

suite("what a phone wants of a body", () => {
  const wishes: readonly (readonly [title: string, options: Element | undefined, expected: BodyWish])[] = [
    ["nothing said: plain text", undefined, wish()],
    ["options without a preference: plain text", options(mime("2")), wish()],
    ["plain text", options(preference("1")), wish(preferred("1"))],
    ["HTML", options(preference("2")), wish(preferred("2"))],
    ["MIME, from a phone that takes it for all mail", options(mime("2"), preference("4")), wish(preferred("4"))],
    ["MIME, from a phone that takes it for signed mail only: plain text", options(mime("1"), preference("4")), wish()],
    ["MIME, from a phone that takes none: plain text", options(mime("0"), preference("4")), wish()],
    ["MIME, from a phone that does not say: plain text", options(preference("4")), wish()],
    ["rich text: plain text", options(preference("3")), wish()],
    ["rich text, else HTML", options(preference("3"), preference("2")), wish(preferred("2"))],
    [
      "HTML, else plain text",
      options(preference("2", "500"), preference("1", "100")),
      wish(preferred("2", 500), preferred("1", 100)),
    ],
    [
      "MIME that it does not take, else HTML",
      options(mime("0"), preference("4", "1"), preference("2")),
      wish(preferred("2")),
    ],
    ["so many bytes", options(preference("1", "200")), wish(preferred("1", 200))],
    ["no bytes", options(preference("1", "0")), wish(preferred("1", 0))],
    [
      "as many bytes as the number can say",
      options(preference("1", "4294967295")),
      wish(preferred("1", 4_294_967_295)),
    ],
    ["no number of bytes", options(preference("1", "many")), wish(preferred("1"))],
    ["all or nothing", options(preference("2", "200", "1")), wish(preferred("2", 200, true))],
    ["not all or nothing", options(preference("2", "200", "0")), wish(preferred("2", 200))],
    ["a form that nobody knows", options(preference("9")), wish()],
  ];
  for (const [title, asked, expected] of wishes) {
    test(title, () => {
      assert.deepEqual(bodyWishOf(asked, featuresOf("14.1")), expected);
    });
  }

  test("in 2.5 it is said with numbers that stand for lengths", () => {
    const asked = (...parts: readonly Element[]): BodyWish => bodyWishOf(options(...parts), featuresOf("2.5"));
    const truncation = (code: string): Element => element("AirSync:Truncation", code);
    const mimeTruncation = (code: string): Element => element("AirSync:MIMETruncation", code);
    const characters = (...wishes: readonly BodyWish[]): (number | undefined)[] =>
      wishes.map((each) => (each.kind === "email" ? each.limitCharacters : Number.NaN));
    assert.deepEqual(bodyWishOf(undefined, featuresOf("2.5")), plainIn25);
    assert.deepEqual(asked(preference("2", "100")), plainIn25, "what came with 12.0 is nothing to it");
    assert.deepEqual(
      characters(...["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "x"].map((code) => asked(truncation(code)))),
      [0, 512, 1024, 2048, 5120, 10_240, 20_480, 51_200, 102_400, undefined, undefined],
    );
    assert.deepEqual(
      characters(
        ...["0", "1", "2", "3", "4", "5", "6", "7", "8"].map((code) => asked(mime("2"), mimeTruncation(code))),
      ),
      [0, 4096, 5120, 7168, 10_240, 20_480, 51_200, 102_400, undefined],
    );
    assert.deepEqual(asked(mime("2"), truncation("1")), { kind: "email", mime: true, limitCharacters: undefined });
    assert.deepEqual(asked(mime("1"), mimeTruncation("1"), truncation("1")), {
      kind: "email",
      mime: false,
      limitCharacters: 512,
    });
  });

  test("a preview is for versions from 14.0, and at most as long as servers give one", () => {
    const asked = options(
      element(
        "AirSyncBase:BodyPreference",
        element("AirSyncBase:Type", "2"),
        element("AirSyncBase:TruncationSize", "9"),
        element("AirSyncBase:Preview", "300"),
      ),
    );
    assert.deepEqual(bodyWishOf(asked, featuresOf("12.1")), wish(preferred("2", 9)));
    assert.deepEqual(bodyWishOf(asked, featuresOf("14.0")), wish(preferred("2", 9, false, 255)));
  });

  test("the part of a message that its writer added is for versions from 14.1", () => {
    const asked = options(element("AirSyncBase:BodyPartPreference", element("AirSyncBase:Type", "2")));
    assert.deepEqual(bodyWishOf(asked, featuresOf("14.0")), wish());
    assert.deepEqual(bodyWishOf(asked, featuresOf("14.1")), { ...wish(), part: preferred("2") });
  });

  test("whoever fetches it wants all of it, in the same form", () => {
    assert.deepEqual(wholly(wish(preferred("2", 9), preferred("1", 3))), wish(preferred("2"), preferred("1")));
    assert.deepEqual(wholly({ kind: "email", mime: true, limitCharacters: 3 }), {
      kind: "email",
      mime: true,
      limitCharacters: undefined,
    });
  });

  test("MIME is composed only for a request that may want it", () => {
    assert.equal(mayWantMime(sync({ id: inbox, options: [preference("4")] })), true);
    assert.equal(mayWantMime(sync({ id: inbox }, { id: "6", options: [preference("1"), preference("4")] })), true);
    assert.equal(mayWantMime(sync({ id: inbox, options: [mime("2"), preference("2")] })), false);
    assert.equal(mayWantMime(sync({ id: inbox, options: [mime("2")] })), true, "the one way to say it in 2.5");
    assert.equal(mayWantMime(sync({ id: inbox, options: [mime("1")] })), false);
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
      assert.deepEqual(bodyWishOf(found, featuresOf("14.1")), wish(preferred("2")));
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
    assert.deepEqual(body(item, wish(preferred("1"))), {
      type: "1",
      size: "7",
      truncated: "0",
      text: "Grüße",
      native: "1",
    });
    assert.deepEqual(body(item, wish(preferred("2"))), {
      type: "2",
      size: "14",
      truncated: "0",
      text: "<b>Grüße</b>",
      native: "2",
    });
    assert.deepEqual(body(item, wish(preferred("4"))), {
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
    assert.deepEqual(body(item, wish(preferred("1", 7))), {
      type: "1",
      size: "7",
      truncated: "0",
      text: "Grüße",
      native: "1",
    });
    assert.deepEqual(body(item, wish(preferred("1", 6))), {
      type: "1",
      size: "7",
      truncated: "1",
      text: "Grüß",
      native: "1",
    });
    assert.deepEqual(body(item, wish(preferred("1", 5))), {
      type: "1",
      size: "7",
      truncated: "1",
      text: "Grü",
      native: "1",
    });
    assert.deepEqual(body(item, wish(preferred("1", 0))), {
      type: "1",
      size: "7",
      truncated: "1",
      text: "",
      native: "1",
    });
  });

  test("is left out rather than cut for a phone that wants all or nothing", () => {
    const item = anItem({ notice });
    assert.deepEqual(body(item, wish(preferred("1", 6, true))), {
      type: "1",
      size: "7",
      truncated: "1",
      text: undefined,
      native: "1",
    });
    assert.equal(body(item, wish(preferred("1", 7, true)))["text"], "Grüße");
  });

  test("is the next form that is wanted, where the first must be whole and does not fit", () => {
    const item = anItem({ notice });
    assert.equal(body(item, wish(preferred("2", 13, true), preferred("1", 7, true)))["text"], "Grüße");
    assert.equal(body(item, wish(preferred("2", 14, true), preferred("1", 7, true)))["text"], "<b>Grüße</b>");
    assert.equal(body(item, wish(preferred("2", 13, true), preferred("1", 6)))["text"], "Grüß");
    assert.deepEqual(body(item, wish(preferred("2", 13, true), preferred("1", 6, true))), {
      type: "2",
      size: "14",
      truncated: "1",
      text: undefined,
      native: "2",
    });
  });

  test("comes with the beginning of its text beside it, for a phone that shows one", () => {
    const found = partOf(data(anItem({ notice }), wish(preferred("2", 3, false, 4))), "AirSyncBase:Body");
    assert.deepEqual(found.content.at(-1), element("AirSyncBase:Preview", "Grüß"));
  });

  test("is its own part too, for a phone that shows conversations in parts", () => {
    const found = partOf(
      data(anItem({ notice }), { ...wish(), part: preferred("2", 6, false, 2) }),
      "AirSyncBase:BodyPart",
    );
    assert.deepEqual(
      found,
      element(
        "AirSyncBase:BodyPart",
        element("AirSyncBase:Status", "1"),
        element("AirSyncBase:Type", "2"),
        element("AirSyncBase:EstimatedDataSize", "14"),
        element("AirSyncBase:Truncated", "1"),
        element("AirSyncBase:Data", "<b>Gr"),
        element("AirSyncBase:Preview", "Gr"),
      ),
    );
  });

  test("is never cut within a character", () => {
    const anyText = fc.string({ unit: "binary", maxLength: 60 }).map((text) => text.replaceAll("\0", ""));
    fc.assert(
      fc.property(anyText, fc.nat({ max: 200 }), (text, limit) => {
        const {
          text: kept = "",
          size,
          truncated,
        } = body(anItem({ notice: aNotice({ text }) }), wish(preferred("1", limit)));
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
