/**
 * Reads what a mail server says of mail that it could not deliver: a delivery status notification (RFC 3464) in a multipart
 * report (RFC 6522), of which it looks for the envelope id of a letter and what became of it. Anybody can write to the address
 * that gets them, so nothing here believes more than it sees, and whatever is no such report is just that.
 */
import type { Envelope } from "../store/store.ts";
import { readEnvelopes } from "./envelope.ts";

export type Bounce =
  /** Any other mail: a person's, an absence message, a receipt. */
  | { readonly kind: "no-report" }
  /** It does not say that anything failed: mail is late, was delivered, or was handed on. */
  | { readonly kind: "no-failure" }
  | {
      readonly kind: "failure";
      /** Which letter came back. None where it is somebody else's mail; several where it contradicts itself. */
      readonly envelopes: readonly Envelope[];
      /** The mail server's own words. */
      readonly detail: string;
    };

/** Reports have three parts. */
const PARTS_LIMIT = 10;
/** A letter has one recipient; a list behind that address may have more. */
const RECIPIENTS_LIMIT = 100;
/** RFC 2046, 5.1.1. */
const BOUNDARY_LIMIT_CHARACTERS = 70;

/** Names in lower case, in order, unfolded. */
type Fields = readonly (readonly [name: string, value: string])[];

interface Part {
  readonly fields: Fields;
  readonly lines: readonly string[];
}

/** A message that was cut off somewhere is read as far as it goes: what counts stands before the mail that is returned. */
export function readBounce(message: Buffer): Bounce {
  // Byte by byte, so that no text can be two lines to one reader and one to another.
  const whole = partOf(message.toString("latin1").split(/\r?\n/));
  const parts = partsOf(whole);
  const report = parts.find(({ fields }) => typeOf(fields)?.endsWith("delivery-status"));
  if (report === undefined) return { kind: "no-report" };
  const groups = groupsOf(decoded(report));
  const failed = groups.slice(1).find((group) => valuesOf(group, "action").some((action) => /^failed\b/i.test(action)));
  if (failed === undefined) return { kind: "no-failure" };
  const returned = parts.find(({ fields }) =>
    /^(text|message)\/(rfc822|global)(-headers)?$/.test(typeOf(fields) ?? ""),
  );
  const named = [
    ...valuesOf(groups[0] ?? [], "original-envelope-id"),
    ...(returned === undefined ? [] : valuesOf(partOf(decoded(returned)).fields, "message-id")),
  ].flatMap(readEnvelopes);
  // Exchange may return nothing of the mail, and says to which one it answers.
  const answered = ["in-reply-to", "references"].flatMap((name) => valuesOf(whole.fields, name)).flatMap(readEnvelopes);
  return { kind: "failure", envelopes: different(named.length > 0 ? named : answered), detail: detailOf(failed) };
}

function different(envelopes: readonly Envelope[]): readonly Envelope[] {
  return [...new Map(envelopes.map((each) => [JSON.stringify(Object.entries(each)), each])).values()];
}

/** `5.1.1 550 nobody here`: the status code (RFC 3463) unless the words have it, and the words without the type before them. */
function detailOf(group: Fields): string {
  const [status = ""] = valuesOf(group, "status");
  const [diagnostic = ""] = valuesOf(group, "diagnostic-code");
  const words = diagnostic.replace(/^[\w-]+ *; */, "");
  const detail = (words.includes(status) ? words : `${status} ${words}`).trim();
  return Buffer.from(detail, "latin1").toString();
}

function partOf(lines: readonly string[]): Part {
  // A mail server that hands mail to a program puts the line of an mbox before it.
  const start = lines[0]?.startsWith("From ") === true ? 1 : 0;
  const end = lines.findIndex((line, index) => index >= start && line === "");
  const head = lines.slice(start, end < 0 ? undefined : end);
  return { fields: fieldsOf(head), lines: end < 0 ? [] : lines.slice(end + 1) };
}

function fieldsOf(lines: readonly string[]): Fields {
  const unfolded: string[] = [];
  for (const line of lines) {
    const last = unfolded.length - 1;
    if (/^[ \t]/.test(line) && last >= 0) unfolded[last] += ` ${line.trim()}`;
    else unfolded.push(line);
  }
  return unfolded.flatMap((line) => {
    const colon = line.indexOf(":");
    return colon < 1 ? [] : [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const];
  });
}

function valuesOf(fields: Fields, wanted: string): readonly string[] {
  return fields.filter(([name]) => name === wanted).map(([, value]) => value);
}

/** Undefined where it is missing, or there are two that may differ. */
function contentTypeOf(fields: Fields): string | undefined {
  const values = valuesOf(fields, "content-type");
  return values.length === 1 ? values[0] : undefined;
}

function typeOf(fields: Fields): string | undefined {
  return contentTypeOf(fields)?.split(";")[0]?.trim().toLowerCase();
}

function partsOf({ fields, lines }: Part): readonly Part[] {
  const contentType = contentTypeOf(fields) ?? "";
  const [, quoted, plain] = /;\s*boundary\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain ?? "";
  const isReport = typeOf(fields) === "multipart/report";
  if (!isReport || boundary === "" || boundary.length > BOUNDARY_LIMIT_CHARACTERS) return [];
  const parts: string[][] = [];
  for (const line of lines) {
    const bare = line.trimEnd();
    if (bare === `--${boundary}--`) break;
    if (bare === `--${boundary}`) {
      if (parts.length === PARTS_LIMIT) break;
      parts.push([]);
    } else parts.at(-1)?.push(line);
  }
  return parts.map(partOf);
}

/** The internationalised forms of the parts may be encoded (RFC 6533); of the others this changes nothing. */
function decoded({ fields, lines }: Part): readonly string[] {
  const [encoding = ""] = valuesOf(fields, "content-transfer-encoding").map((value) => value.toLowerCase());
  if (encoding === "base64") return Buffer.from(lines.join(""), "base64").toString("latin1").split(/\r?\n/);
  if (encoding !== "quoted-printable") return lines;
  return lines
    .join("\n")
    .replaceAll(/=[ \t]*\n/g, "")
    .replaceAll(/=([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
    .split(/\r?\n/);
}

/** The first is about the message, each of the others about a recipient. */
function groupsOf(lines: readonly string[]): readonly Fields[] {
  const groups: string[][] = [[]];
  for (const line of lines) {
    const last = groups.at(-1);
    if (line.trim() !== "") last?.push(line);
    else if (last !== undefined && last.length > 0) {
      if (groups.length > RECIPIENTS_LIMIT) break;
      groups.push([]);
    }
  }
  return groups.map(fieldsOf);
}
