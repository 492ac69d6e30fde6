/** Text that people read, and that ends in the header of a message. */
import { readDomain } from "./addresses.ts";
import { bad, good } from "./reading.ts";
import type { Reading } from "./reading.ts";

/** 200 characters: encoded, still within the 998 bytes that one header line may have (RFC 5322, 2.1.1). */
export const WORDING_LIMIT = 200;
/** RFC 5321, 4.5.3.1.3: a path has 256 octets with its angle brackets. */
const ADDRESS_LIMIT = 254;

/**
 * Line ends would begin a header of somebody's choice, quotes and angle brackets would end a display name, controls and
 * changes of direction would let the text show something else than it says.
 */
const unsafe = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}"<>\\\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/u;

export function readWording(text: string): Reading<string> {
  if (text.trim() === "") return bad("must not be empty");
  if (text.trim() !== text) return bad("must not begin or end with a space");
  if (text.length > WORDING_LIMIT) return bad(`must have at most ${WORDING_LIMIT} characters`);
  if (unsafe.test(text)) return bad('must have no line ends, control characters, quotes ("), backslashes, < or >');
  return good(text);
}

export function readMailAddress(text: string): Reading<string> {
  const parts = /^([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*)@([^@]+)$/.exec(text);
  const [, local = "", domain = ""] = parts ?? [];
  if (local === "" || local.length > 64 || text.length > ADDRESS_LIMIT || !readDomain(domain).ok) {
    return bad("must be a mail address, such as it-help@corp.example");
  }
  return good(text);
}

/** 4 characters: fewer would begin half of all User-Agents there are. No comma, which parts the agents of an environment variable. */
export function readAgent(text: string): Reading<string> {
  if (/^[ -+\--~]{4,200}$/.test(text) && text.trim() === text) return good(text);
  return bad("must be the beginning of a User-Agent: 4 to 200 plain ASCII characters without a comma");
}
