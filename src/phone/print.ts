/** The phone in the terminal. Pure: a view goes in, text comes out. */
import { cellsOf, cut, harmless, harmlessLine, wrap } from "./cells.ts";
import { previewLength } from "./lists.ts";
import type { InboxMessage } from "./lists.ts";
import type { Loss } from "./state.ts";
import type { ConnectionView, PhoneView } from "./view.ts";

export interface Paper {
  /** Undefined where nobody knows, as in a pipe. */
  readonly columns: number | undefined;
  readonly color: boolean;
  readonly timeZone: string | undefined;
  /** How many messages of the inbox are listed. */
  readonly messages?: number | undefined;
}

type Style = "plain" | "bold" | "dim" | "green" | "yellow" | "red" | "blue";
type Span = readonly [text: string, style: Style];

const widest = 76;
const narrowest = 34;
const unknownColumns = 80;
const codes: Readonly<Record<Style, string>> = {
  plain: "",
  bold: "1",
  dim: "2",
  green: "32",
  yellow: "33",
  red: "31",
  blue: "94",
};
const toneStyles: Readonly<Record<ConnectionView["tone"], Style>> = { good: "green", notice: "yellow", bad: "red" };
/** A mailbox of one message shows more of it: there is room, and it is all there is to read. */
const previewLinesOfOnlyMessage = 4;
/** A screenful or two: who needs the rest takes `--json`. */
const messagesListed = 25;

export function printPhone(view: PhoneView, paper: Paper): string {
  const inner = innerWidth(paper);
  const unread = view.inbox.filter((message) => !message.read).length;
  const lines = [
    ...statusBar(view, inner, paper),
    blank(inner),
    row(inner, [["Inbox", "bold"]], [[countWords(view.inbox.length, unread), "dim"]], paper),
    rule(inner, paper),
    ...inboxLines(view, inner, paper),
    ...section(inner, paper, "Outbox", outboxLines(view, paper)),
    ...section(inner, paper, "Not handed over yet", view.pending.map(pendingLine)),
    ...section(inner, paper, "Lost", view.losses.map(lossLine)),
    blank(inner),
  ];
  return frame(lines, inner, paper);
}

/** One message, opened. The text stands free of the frame, so that addresses in it can be copied. */
export function printMessage(message: InboxMessage, text: string, paper: Paper): string {
  const inner = innerWidth(paper);
  const { name, address } = message.from;
  const head: [label: string, value: string][] = [
    ["From", name === "" ? address : `${name} <${address}>`],
    ["To", message.to],
    ["Date", fullTime(message.date, paper)],
  ];
  const lines = [
    row(inner, [[message.subject === "" ? "(no subject)" : message.subject, "bold"]], [], paper),
    ...head.map(([label, value]) =>
      row(
        inner,
        [
          [label.padEnd(6), "dim"],
          [value, "plain"],
        ],
        [],
        paper,
      ),
    ),
  ];
  const body = wrap(harmless(text).trimEnd(), inner).map((line) => (line === "" ? "" : `  ${line}`));
  return `${frame(lines, inner, paper)}\n${body.join("\n")}\n`;
}

function statusBar(view: PhoneView, inner: number, paper: Paper): string[] {
  const tone = toneStyles[view.connection.tone];
  const [first = "", ...more] = wrap(harmlessLine(view.connection.words), inner - 2);
  return [
    row(inner, [[clock(view.at, paper), "bold"]], [[`ActiveSync ${view.version}`, "dim"]], paper),
    blank(inner),
    row(inner, [[view.user, "bold"]], [], paper),
    row(inner, [[`${view.device.id} (${view.device.type}) at ${view.server}`, "dim"]], [], paper),
    row(
      inner,
      [
        ["● ", tone],
        [first, tone],
      ],
      [],
      paper,
    ),
    ...more.map((line) =>
      row(
        inner,
        [
          ["  ", tone],
          [line, tone],
        ],
        [],
        paper,
      ),
    ),
  ];
}

function inboxLines(view: PhoneView, inner: number, paper: Paper): string[] {
  if (view.inbox.length === 0) return [row(inner, [["No messages.", "dim"]], [], paper)];
  const digits = String(view.inbox.length).length;
  const previewLines = view.inbox.length === 1 ? previewLinesOfOnlyMessage : 1;
  const lines: string[] = [];
  const listed = paper.messages ?? messagesListed;
  for (const [index, message] of view.inbox.slice(0, listed).entries()) {
    if (index > 0) lines.push(blank(inner));
    lines.push(...messageLines(message, String(index + 1).padStart(digits), { view, inner, paper, previewLines }));
  }
  const more = view.inbox.length - listed;
  if (more > 0) lines.push(blank(inner), row(inner, [[`… and ${more} more`, "dim"]], [], paper));
  return lines;
}

interface Place {
  readonly view: PhoneView;
  readonly inner: number;
  readonly paper: Paper;
  readonly previewLines: number;
}

/** Without the subject that stands above it, and with a mark where more follows. */
function previewOf({ preview, subject }: InboxMessage, columns: number, lines: number): string[] {
  const text = harmlessLine(preview.startsWith(subject) ? preview.slice(subject.length).trimStart() : preview);
  const wrapped = wrap(text, columns);
  const shown = wrapped.slice(0, lines);
  const isMore = wrapped.length > lines || preview.length >= previewLength;
  return shown.map((line, index) => (isMore && index === shown.length - 1 ? cut(`${line} …`, columns) : line));
}

function messageLines(message: InboxMessage, number: string, { view, inner, paper, previewLines }: Place): string[] {
  const margin = " ".repeat(number.length + 4);
  const sender = message.from.name === "" ? message.from.address : message.from.name;
  const subject = message.subject === "" ? "(no subject)" : message.subject;
  const weight: Style = message.read ? "plain" : "bold";
  const preview = previewOf(message, inner - margin.length, previewLines);
  return [
    row(
      inner,
      [
        [message.read ? "  " : "● ", "blue"],
        [`${number}  `, "dim"],
        [sender === "" ? "(nobody)" : sender, weight],
      ],
      [[shortTime(message.date, view.at, paper), "dim"]],
      paper,
    ),
    row(
      inner,
      [
        [margin, "plain"],
        [subject, weight],
      ],
      [],
      paper,
    ),
    ...preview
      .filter((line) => line !== "")
      .map((line) =>
        row(
          inner,
          [
            [margin, "plain"],
            [line, "dim"],
          ],
          [],
          paper,
        ),
      ),
  ];
}

function outboxLines(view: PhoneView, paper: Paper): Entry[] {
  return view.outbox.map((message) => ({
    left: [
      ["↑ ", "yellow"],
      [message.subject === "" ? "(no subject)" : message.subject, "plain"],
      [`  to ${message.to}`, "dim"],
    ],
    right: `since ${shortTime(message.queuedAt, view.at, paper)}`,
  }));
}

interface Entry {
  readonly left: readonly Span[];
  readonly right: string;
}

function pendingLine(what: string): Entry {
  return {
    left: [
      ["↑ ", "yellow"],
      [what, "plain"],
    ],
    right: "",
  };
}

function lossLine({ what, why }: Loss): Entry {
  return {
    left: [
      ["✕ ", "red"],
      [what, "plain"],
      [`: ${why}`, "dim"],
    ],
    right: "",
  };
}

function section(inner: number, paper: Paper, title: string, entries: readonly Entry[]): string[] {
  if (entries.length === 0) return [];
  return [
    blank(inner),
    row(inner, [[title, "bold"]], [[String(entries.length), "dim"]], paper),
    rule(inner, paper),
    ...entries.map(({ left, right }) => row(inner, left, [[right, "dim"]], paper)),
  ];
}

function countWords(messages: number, unread: number): string {
  return `${messages} ${messages === 1 ? "message" : "messages"}, ${unread} unread`;
}

/** Two columns of margin and the border on each side. */
function innerWidth(paper: Paper): number {
  return Math.max(narrowest, Math.min(widest, paper.columns ?? unknownColumns)) - 6;
}

function frame(lines: readonly string[], inner: number, paper: Paper): string {
  const edge = paint("│", "dim", paper);
  const width = inner + 4;
  const ear = " ▬▬▬ ";
  const left = Math.floor((width - ear.length) / 2);
  const top = `╭${"─".repeat(left)}${ear}${"─".repeat(width - ear.length - left)}╮`;
  const bottom = `╰${"─".repeat(width)}╯`;
  const body = lines.map((line) => `${edge}  ${line}  ${edge}\n`).join("");
  return `${paint(top, "dim", paper)}\n${body}${paint(bottom, "dim", paper)}\n`;
}

function rule(inner: number, paper: Paper): string {
  return paint("─".repeat(inner), "dim", paper);
}

function blank(inner: number): string {
  return " ".repeat(inner);
}

/** One line of exactly the inner width: the left part gives way, the right part stands at the edge. */
function row(inner: number, left: readonly Span[], right: readonly Span[], paper: Paper): string {
  const tail = right.map(([text, style]): Span => [clean(text), style]);
  const tailCells = tail.reduce((sum, [text]) => sum + cellsOf(text), 0);
  let room = inner - tailCells - (tailCells > 0 ? 1 : 0);
  let line = "";
  for (const [text, style] of left) {
    const shown = cut(clean(text), room);
    room -= cellsOf(shown);
    line += paint(shown, style, paper);
  }
  const gap = " ".repeat(room + (tailCells > 0 ? 1 : 0));
  return line + gap + tail.map(([text, style]) => paint(text, style, paper)).join("");
}

/** Everything that comes from outside passes here, and spaces of our own stay as they are. */
function clean(text: string): string {
  return harmless(text).replaceAll("\n", " ");
}

function paint(text: string, style: Style, paper: Paper): string {
  return paper.color && style !== "plain" && text !== "" ? `\u001b[${codes[style]}m${text}\u001b[0m` : text;
}

function clock(iso: string, paper: Paper): string {
  return format(iso, paper, { hour: "2-digit", minute: "2-digit" });
}

function fullTime(iso: string, paper: Paper): string {
  return format(iso, paper, { dateStyle: "full", timeStyle: "short" });
}

/** The hour for today, the day for this year, and the whole date before. */
function shortTime(iso: string, nowIso: string, paper: Paper): string {
  const day = (value: string): string => format(value, paper, { year: "numeric", month: "2-digit", day: "2-digit" });
  if (day(iso) === day(nowIso)) return clock(iso, paper);
  const sameYear = format(iso, paper, { year: "numeric" }) === format(nowIso, paper, { year: "numeric" });
  return format(iso, paper, { day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }) });
}

function format(iso: string, { timeZone }: Paper, options: Intl.DateTimeFormatOptions): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  return new Intl.DateTimeFormat("en-GB", { ...options, ...(timeZone === undefined ? {} : { timeZone }) }).format(date);
}
