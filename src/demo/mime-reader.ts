/** Reads what phones send: RFC 822 with the MIME parts that mail programs write. */
import {
  attachmentOf,
  parseAddresses,
  textFromHtml,
  type Address,
  type Attachment,
  type Importance,
} from "./message.ts";

export interface ReadMessage {
  readonly from: readonly Address[];
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
  readonly subject: string;
  readonly messageId: string | undefined;
  readonly importance: Importance;
  readonly text: string;
  readonly html: string | undefined;
  readonly attachments: readonly Attachment[];
}

interface Part {
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

// Mail programs nest three or four deep; more is somebody trying to exhaust the stack.
const DEPTH_LIMIT = 16;

export function readMime(source: Buffer): ReadMessage {
  const message = readPart(source);
  const content = collect(message, 0);
  const html = content.html;
  return {
    from: addresses(message, "from"),
    to: addresses(message, "to"),
    cc: addresses(message, "cc"),
    bcc: addresses(message, "bcc"),
    subject: decodeWords(message.headers.get("subject") ?? ""),
    messageId: /<([^>]+)>/.exec(message.headers.get("message-id") ?? "")?.[1],
    importance: importance(message.headers),
    text: content.text ?? (html === undefined ? "" : textFromHtml(html)),
    html,
    attachments: content.attachments,
  };
}

/** The source without its Bcc: those who get it must not learn who else did. */
export function withoutBcc(source: Buffer): Buffer {
  const end = headEnd(source);
  const head = source.subarray(0, end).toString("latin1");
  const kept = head.replaceAll(/(?:^|(?<=\n))bcc:[^\n]*\n?(?:[ \t][^\n]*\n?)*/gi, "");
  return Buffer.concat([Buffer.from(kept, "latin1"), source.subarray(end)]);
}

interface Content {
  readonly text: string | undefined;
  readonly html: string | undefined;
  readonly attachments: readonly Attachment[];
}

function collect(part: Part, depth: number): Content {
  const type = contentType(part);
  if (type.value.startsWith("multipart/") && depth < DEPTH_LIMIT) {
    const boundary = type.parameters.get("boundary");
    const parts = boundary === undefined ? [] : splitParts(part.body, boundary);
    const contents = parts.map((inner) => collect(readPart(inner), depth + 1));
    return {
      text: contents.find(({ text }) => text !== undefined)?.text,
      html: contents.find(({ html }) => html !== undefined)?.html,
      attachments: contents.flatMap(({ attachments }) => attachments),
    };
  }
  const disposition = parameters(part.headers.get("content-disposition") ?? "");
  const name = disposition.parameters.get("filename") ?? type.parameters.get("name");
  const body = decodeTransfer(part);
  const isText = (type.value === "text/plain" || type.value === "text/html") && disposition.value !== "attachment";
  if (!isText) {
    const attachment = attachmentOf(decodeWords(name ?? "attachment"), type.value, body);
    return { text: undefined, html: undefined, attachments: [attachment] };
  }
  const text = decodeCharset(body, type.parameters.get("charset")).replaceAll("\r\n", "\n");
  return {
    text: type.value === "text/plain" ? text.trimEnd() : undefined,
    html: type.value === "text/html" ? text : undefined,
    attachments: [],
  };
}

function headEnd(source: Buffer): number {
  for (const gap of ["\r\n\r\n", "\n\n"]) {
    const at = source.indexOf(gap);
    if (at >= 0) return at + gap.length / 2;
  }
  return source.length;
}

function readPart(source: Buffer): Part {
  // A part may begin with its empty line: it then has no headers at all.
  const end = /^\r?\n/.test(source.subarray(0, 2).toString("latin1")) ? 0 : headEnd(source);
  const lines = source
    .subarray(0, end)
    .toString("utf8")
    .replaceAll(/\r?\n[ \t]+/g, " ")
    .split(/\r?\n/);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  const gap = /^\r?\n/.exec(source.subarray(end, end + 2).toString("latin1"))?.[0].length ?? 0;
  return { headers, body: source.subarray(end + gap) };
}

function splitParts(body: Buffer, boundary: string): readonly Buffer[] {
  const text = body.toString("latin1");
  const parts = text.split(new RegExp(`(?:^|\\r?\\n)--${RegExp.escape(boundary)}(?:--)?[ \\t]*(?:\\r?\\n|$)`));
  return parts
    .slice(1)
    .filter((part) => part.trim() !== "")
    .map((part) => Buffer.from(part, "latin1"));
}

interface HeaderValue {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
}

function contentType(part: Part): HeaderValue {
  return parameters(part.headers.get("content-type") ?? "text/plain");
}

function parameters(header: string): HeaderValue {
  const [value = "", ...rest] = header.split(";");
  const pairs = rest.map((piece): [string, string] => {
    const equals = piece.indexOf("=");
    const text = piece.slice(equals + 1).trim();
    return [piece.slice(0, equals).trim().toLowerCase(), text.replaceAll(/^"|"$/g, "")];
  });
  return { value: value.trim().toLowerCase(), parameters: new Map(pairs) };
}

function decodeTransfer(part: Part): Buffer {
  const encoding = (part.headers.get("content-transfer-encoding") ?? "").toLowerCase();
  if (encoding === "base64") return Buffer.from(part.body.toString("latin1"), "base64");
  if (encoding === "quoted-printable") return decodeQuotedPrintable(part.body.toString("latin1"));
  return part.body;
}

function decodeQuotedPrintable(text: string): Buffer {
  const joined = text.replaceAll(/=[ \t]*\r?\n/g, "");
  const decoded = joined.replaceAll(/=([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCodePoint(Number.parseInt(hex, 16)),
  );
  return Buffer.from(decoded, "latin1");
}

function decodeCharset(bytes: Buffer, charset: string | undefined): string {
  try {
    return new TextDecoder(charset ?? "utf-8").decode(bytes);
  } catch {
    // A charset that nobody knows must not cost the person the message.
    return bytes.toString("utf8");
  }
}

/** RFC 2047. White space between two encoded words belongs to neither. */
function decodeWords(text: string): string {
  return text
    .replaceAll(/(\?=)\s+(?==\?)/g, "$1")
    .replaceAll(/=\?([^?]+)\?([bq])\?([^?]*)\?=/gi, (_, charset: string, encoding: string, word: string) => {
      const bytes =
        encoding.toLowerCase() === "b" ? Buffer.from(word, "base64") : decodeQuotedPrintable(word.replaceAll("_", " "));
      return decodeCharset(bytes, charset);
    });
}

function addresses(message: Part, header: string): readonly Address[] {
  return parseAddresses(message.headers.get(header) ?? "").map(({ name, address }) => {
    return { name: decodeWords(name), address };
  });
}

function importance(headers: ReadonlyMap<string, string>): Importance {
  const said = (headers.get("importance") ?? "").toLowerCase();
  return said === "high" || said === "low" ? said : "normal";
}
