/** A mail message as the demonstration server keeps it: plain data, independent of how a phone or a browser asks for it. */

export interface Address {
  readonly name: string;
  readonly address: string;
}

export interface Attachment {
  readonly name: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  /** Made anew for each reader, so a large attachment is never held as a whole. */
  readonly chunks: () => Iterable<Buffer>;
}

export type Importance = "low" | "normal" | "high";

export interface Message {
  readonly messageId: string;
  readonly from: Address;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly subject: string;
  readonly receivedAt: Date;
  readonly text: string;
  readonly html: string | undefined;
  readonly attachments: readonly Attachment[];
  readonly importance: Importance;
  /** The message as it came over the wire. Undefined for what was seeded: its source is written when somebody asks. */
  readonly source: Buffer | undefined;
}

/** What somebody has to say to have a message delivered; the server fills in the rest. */
export interface NewMessage {
  readonly from: Address | string;
  readonly to?: readonly (Address | string)[];
  readonly cc?: readonly (Address | string)[];
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  /** The server's clock where it is missing. */
  readonly receivedAt?: Date;
  readonly attachments?: readonly Attachment[];
  readonly importance?: Importance;
  readonly read?: boolean;
  /** A folder by its name in the folder list; the inbox where it is missing. */
  readonly folder?: string;
}

/** "Alice Archer <alice@demo.example>" or a bare address. */
export function toAddress(text: Address | string): Address {
  if (typeof text !== "string") return text;
  const match = /^\s*"?([^"<]*?)"?\s*<([^>]*)>\s*$/.exec(text);
  if (match === null) return { name: "", address: text.trim() };
  return { name: match[1] ?? "", address: (match[2] ?? "").trim() };
}

export function formatAddress({ name, address }: Address): string {
  return name === "" ? address : `"${name.replaceAll(/["\\\r\n]/g, "")}" <${address}>`;
}

export function formatAddresses(addresses: readonly Address[]): string {
  return addresses.map(formatAddress).join(", ");
}

export function displayName({ name, address }: Address): string {
  return name === "" ? address : name;
}

/** A list of addresses as it stands in a header. A comma inside quotes belongs to a name. */
export function parseAddresses(header: string): readonly Address[] {
  const parts = header.match(/(?:"[^"]*"|<[^>]*>|[^,])+/g) ?? [];
  return parts.map((part) => toAddress(part)).filter(({ address }) => address !== "");
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** What a reader without HTML sees. Good enough for mail that people wrote; it decides nothing. */
export function textFromHtml(html: string): string {
  return html
    .replaceAll(/<(style|script|head)\b[\s\S]*?<\/\1>/gi, "")
    .replaceAll(/<(?:br|\/p|\/div|\/h\d|\/li|\/tr)\b[^>]*>/gi, "\n")
    .replaceAll(/<[^>]*>/g, "")
    .replaceAll("&nbsp;", " ")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
}

export function htmlFromText(text: string): string {
  const paragraphs = text
    .split(/\n{2,}/)
    .map((paragraph) => `<p>${escapeHtml(paragraph).replaceAll("\n", "<br>")}</p>`)
    .join("");
  return `<html><body>${paragraphs}</body></html>`;
}

/** An attachment whose bytes are at hand. */
export function attachmentOf(name: string, contentType: string, content: string | Buffer): Attachment {
  const bytes = Buffer.from(content);
  return { name, contentType, sizeBytes: bytes.length, chunks: () => [bytes] };
}

const GENERATED_CHUNK_BYTES = 65_536;

/** A table of any size, the same bytes each time, written while it is read: for attachments of many megabytes. */
export function generatedAttachment(name: string, sizeBytes: number): Attachment {
  function* chunks(): Generator<Buffer> {
    let row = 0;
    let left = sizeBytes;
    while (left > 0) {
      let text = "";
      while (text.length < GENERATED_CHUNK_BYTES) {
        text += `${row};meter-${row % 997};${((row * 7919) % 100_000) / 100}\r\n`;
        row += 1;
      }
      const chunk = Buffer.from(text.slice(0, left), "latin1");
      left -= chunk.length;
      yield chunk;
    }
  }
  return { name, contentType: "text/csv", sizeBytes, chunks };
}
