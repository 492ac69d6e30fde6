/** Property lists in XML, as Apple's own systems write them, so that every reader of them can read ours. */
import { greatestInteger, isArray, leastInteger, plistDoctype } from "./value.ts";
import type { PlistValue } from "./value.ts";

/** @throws RangeError for what a list cannot say: a control character, half a surrogate, a number or a time out of range. */
export function writePlist(value: PlistValue): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${plistDoctype}\n<plist version="1.0">\n${write(value)}\n</plist>\n`;
}

function write(value: PlistValue): string {
  if (typeof value === "string") return element("string", escapeText(value));
  if (typeof value === "boolean") return value ? "<true/>" : "<false/>";
  if (typeof value === "bigint") return element("integer", integer(value));
  if (typeof value === "number") return element("real", real(value));
  if (value instanceof Date) return element("date", instant(value));
  if (value instanceof Uint8Array) return element("data", Buffer.from(value).toString("base64"));
  if (isArray(value)) return `<array>${value.map(write).join("")}</array>`;
  const entries = [...value].map(([key, each]) => `${element("key", escapeText(key))}${write(each)}`);
  return `<dict>${entries.join("")}</dict>`;
}

function integer(value: bigint): string {
  if (value < leastInteger || value > greatestInteger) throw new RangeError("integer of more than 64 bits");
  return String(value);
}

function real(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError("real that is no number");
  // As text, -0 would lose its sign.
  return Object.is(value, -0) ? "-0" : String(value);
}

/** To the second, in four digits of years from 0001 on: a list has no more. */
function instant(time: Date): string {
  const written = time.toISOString().replace(/\.\d{3}Z$/, "Z");
  if (!/^(?!0000)\d{4}-/.test(written)) throw new RangeError("year that a list cannot have");
  return written;
}

function element(name: string, text: string): string {
  return `<${name}>${text}</${name}>`;
}

/** CR as a reference: as a character it would be read as LF (XML 1.0, section 2.11). */
function escapeText(text: string): string {
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text) || !text.isWellFormed())
    throw new RangeError("character that XML does not have");
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\r", "&#13;");
}
