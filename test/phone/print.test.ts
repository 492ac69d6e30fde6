import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { cellsOf, cut, harmless, wrap } from "../../src/phone/cells.ts";
import { textOfHtml } from "../../src/phone/html.ts";
import type { InboxMessage } from "../../src/phone/lists.ts";
import { printMessage, printPhone, type Paper } from "../../src/phone/print.ts";
import type { PhoneView } from "../../src/phone/view.ts";

const paper: Paper = { columns: 60, color: false, timeZone: "UTC" };

const carol = { name: "Carol Clerk", address: "carol@postern.test" };

function message(id: string, more: Partial<InboxMessage> = {}): InboxMessage {
  return {
    folder: "inbox",
    id,
    subject: "A plain message",
    from: carol,
    to: "alice@postern.test",
    date: "2026-11-24T10:40:00.000Z",
    read: true,
    preview: "Hello Alice, this is a plain text message.",
    ...more,
  };
}

function view(more: Partial<PhoneView> = {}): PhoneView {
  return {
    device: { id: "PHONE01", type: "iPhone" },
    user: "alice@postern.test",
    server: "127.0.0.1:8080",
    version: "14.1",
    at: "2026-11-24T15:02:00.000Z",
    connection: { kind: "mail", tone: "good", words: "Mail flows." },
    inbox: [],
    messages: 0,
    outbox: [],
    pending: [],
    losses: [],
    ...more,
  };
}

const theNotice = message("n1", {
  subject: "Your mail is on hold: remove TikTok",
  from: { name: "IT Service", address: "it@postern.test" },
  date: "2026-11-24T14:59:00.000Z",
  read: false,
  preview:
    "TikTok was found on this phone on 24 November. Remove it, and your mail comes back by itself within seconds.",
});

suite("the phone in the terminal", () => {
  test("shows a mailbox in which mail flows", () => {
    const inbox = [
      message("m3", {
        subject: "Grüße 🌍",
        read: false,
        preview: "Grüße aus Köln ✓ 🌍",
        date: "2026-11-24T13:40:00.000Z",
      }),
      message("m2", {
        subject: "会議のお知らせ",
        from: { name: "田中", address: "tanaka@postern.test" },
        date: "2026-11-02T08:00:00.000Z",
      }),
      message("m1", { subject: "", preview: "", date: "2025-01-05T08:00:00.000Z" }),
    ];
    assert.equal(
      printPhone(view({ inbox, messages: 3 }), paper),
      `╭────────────────────────── ▬▬▬ ───────────────────────────╮
│  15:02                                  ActiveSync 14.1  │
│                                                          │
│  alice@postern.test                                      │
│  PHONE01 (iPhone) at 127.0.0.1:8080                      │
│  ● Mail flows.                                           │
│                                                          │
│  Inbox                             3 messages, 1 unread  │
│  ──────────────────────────────────────────────────────  │
│  ● 1  Carol Clerk                                 13:40  │
│       Grüße 🌍                                           │
│       Grüße aus Köln ✓ 🌍                                │
│                                                          │
│    2  田中                                        2 Nov  │
│       会議のお知らせ                                     │
│       Hello Alice, this is a plain text message.         │
│                                                          │
│    3  Carol Clerk                            5 Jan 2025  │
│       (no subject)                                       │
│                                                          │
╰──────────────────────────────────────────────────────────╯
`,
    );
  });

  test("shows a mailbox that holds nothing but the notice, and what waits behind it", () => {
    const held = view({
      connection: { kind: "mail", tone: "notice", words: "This mailbox holds one message, from IT Service." },
      inbox: [theNotice],
      messages: 1,
      outbox: [
        { to: "bob@postern.test", subject: "Quarterly figures", queuedAt: "2026-11-24T14:20:00.000Z", attempts: 3 },
      ],
      pending: ['event "Meeting"'],
      losses: [{ what: 'contact "Dora Door"', why: "the server reset the folder" }],
    });
    assert.equal(
      printPhone(held, paper),
      `╭────────────────────────── ▬▬▬ ───────────────────────────╮
│  15:02                                  ActiveSync 14.1  │
│                                                          │
│  alice@postern.test                                      │
│  PHONE01 (iPhone) at 127.0.0.1:8080                      │
│  ● This mailbox holds one message, from IT Service.      │
│                                                          │
│  Inbox                              1 message, 1 unread  │
│  ──────────────────────────────────────────────────────  │
│  ● 1  IT Service                                  14:59  │
│       Your mail is on hold: remove TikTok                │
│       TikTok was found on this phone on 24 November.     │
│       Remove it, and your mail comes back by itself      │
│       within seconds.                                    │
│                                                          │
│  Outbox                                               1  │
│  ──────────────────────────────────────────────────────  │
│  ↑ Quarterly figures  to bob@postern.test   since 14:20  │
│                                                          │
│  Not handed over yet                                  1  │
│  ──────────────────────────────────────────────────────  │
│  ↑ event "Meeting"                                       │
│                                                          │
│  Lost                                                 1  │
│  ──────────────────────────────────────────────────────  │
│  ✕ contact "Dora Door": the server reset the folder      │
│                                                          │
╰──────────────────────────────────────────────────────────╯
`,
    );
  });

  test("does not say the subject twice, and marks where more of a message follows", () => {
    const said = (preview: string, subject: string): string =>
      printPhone(view({ inbox: [message("m1", { subject, preview })] }), paper);
    const once = said("Remove TikTok Example Ltd does not allow it.", "Remove TikTok");
    assert.match(once, /│ +Example Ltd does not allow it\. +│/);
    assert.equal(once.split("Remove TikTok").length, 2);
    const long = said("word ".repeat(100).trim(), "A");
    assert.match(long, /word.*… *│\n│ +│\n╰/);
    assert.equal(long.split("…").length, 2);
    assert.doesNotMatch(said("word ".repeat(30).trim(), "A"), /…/);
  });

  test("opens a message so that an address in it can be copied", () => {
    const link = `https://mail.postern.test/postern/device?token=${"a".repeat(60)}`;
    assert.equal(
      printMessage(theNotice, `Remove it here:\r\n${link}\r\n\r\nYour IT`, paper),
      `╭────────────────────────── ▬▬▬ ───────────────────────────╮
│  Your mail is on hold: remove TikTok                     │
│  From  IT Service <it@postern.test>                      │
│  To    alice@postern.test                                │
│  Date  Tuesday, 24 November 2026 at 14:59                │
╰──────────────────────────────────────────────────────────╯

  Remove it here:
  ${link}

  Your IT
`,
    );
  });

  test("is colourful where somebody can see it, and only there", () => {
    const escape = "\u001b[";
    assert.ok(printPhone(view({ inbox: [theNotice] }), { ...paper, color: true }).includes(escape));
    assert.ok(!printPhone(view({ inbox: [theNotice] }), paper).includes(escape));
  });

  for (const columns of [undefined, 1, 34, 35, 60, 76, 77, 200]) {
    test(`has straight edges in a terminal of ${columns ?? "unknown"} columns`, () => {
      const inbox = [theNotice, message("m2", { subject: "長".repeat(50), preview: "👩‍👩‍👧‍👦 é ".repeat(20) })];
      const printed = printPhone(view({ inbox }), { ...paper, columns });
      const widths = new Set(printed.trimEnd().split("\n").map(cellsOf));
      assert.deepEqual([...widths], [Math.max(34, Math.min(76, columns ?? 80))]);
    });
  }

  test("cannot be moved, coloured or turned around by what a server sends", () => {
    const nasty = "a\u001b[2J\u0007\u009b31m\u202egnp.exe\u2066\r\nb\u0000\u007f";
    const hostile = message("x", { subject: nasty, preview: nasty, from: { name: nasty, address: nasty } });
    const printed = printPhone(view({ inbox: [hostile], user: nasty, server: nasty }), paper);
    assert.doesNotMatch(printed, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u);
    assert.equal(new Set(printed.trimEnd().split("\n").map(cellsOf)).size, 1);
    assert.doesNotMatch(printMessage(hostile, nasty, paper), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/u);
  });

  test("shows a screenful and says how much more there is", () => {
    const inbox = Array.from({ length: 30 }, (_, index) => message(`m${index}`));
    const printed = printPhone(view({ inbox }), paper);
    assert.match(printed, /… and 5 more/u);
    assert.match(printed, /30 messages, 0 unread/u);
  });
});

suite("text in a terminal", () => {
  const widths: [text: string, cells: number][] = [
    ["", 0],
    ["abc", 3],
    ["Grüße", 5],
    ["Gru\u0308ße", 5],
    ["会議", 4],
    ["ｆｕｌｌ", 8],
    ["한국어", 6],
    ["🌍", 2],
    ["👩‍👩‍👧‍👦", 2],
    ["🇩🇪", 2],
    ["❤️", 2],
    ["✓", 1],
    ["\u200b", 0],
  ];
  for (const [text, cells] of widths) {
    test(`${JSON.stringify(text)} takes ${cells} cells`, () => assert.equal(cellsOf(text), cells));
  }

  test("is cut between characters, never within one", () => {
    assert.equal(cut("会議のお知らせ", 7), "会議の…");
    assert.equal(cut("会議のお知らせ", 6), "会議…");
    assert.equal(cut("abc", 3), "abc");
    assert.equal(cut("abcd", 3), "ab…");
    assert.equal(cut("abcd", 0), "");
  });

  test("is wrapped between words, and long words stay whole", () => {
    assert.deepEqual(wrap("one two three", 7), ["one two", "three"]);
    assert.deepEqual(wrap("  - one two", 7), ["  - one", "  two"]);
    assert.deepEqual(wrap("go to https://example.test/x now", 8), ["go to", "https://example.test/x", "now"]);
    assert.deepEqual(wrap("a\n\nb", 7), ["a", "", "b"]);
  });

  test("keeps its line ends and loses what would act", () => {
    assert.equal(harmless("a\r\nb\tc\u001bd\u200fe\ud800"), "a\nb    c␛de\ufffd");
  });
});

suite("an HTML mail as text", () => {
  const cases: [title: string, html: string, text: string][] = [
    ["blocks become lines", "<h1>Hello</h1><p>This is the <b>HTML</b> part.</p>", "Hello\n\nThis is the HTML part."],
    ["styles and scripts say nothing", "<style>p{}</style><script>x</script>Hi<!-- no -->", "Hi"],
    ["lists have points", "<ul><li>one</li><li>two</li></ul>", "• one\n• two"],
    [
      "entities are read",
      "a &lt;b&gt; &amp;amp; &#252;&#x20AC; &unknown; &valueOf; &#xD800;",
      "a <b> &amp; ü€ &unknown; &valueOf; \ufffd",
    ],
    ["a tag that never ends hides nothing before it", "Hello <a href='", "Hello"],
  ];
  for (const [title, html, text] of cases) test(title, () => assert.equal(textOfHtml(html), text));
});
