/**
 * What the Authorization header says about who asks. Nothing is verified here: the same header goes upstream, and the
 * mail server verifies it. So a forged claim gains a verdict about somebody else's device, and then a 401.
 */
import jsonwebtoken from "jsonwebtoken";
import { parsePerson } from "../policy/person.ts";
import type { Person } from "../policy/person.ts";
import { Refusal } from "./errors.ts";
import type { Credential } from "./protocol.ts";

/** Claims that name the mailbox, in the order in which Exchange looks at them. */
const personClaims = ["upn", "preferred_username", "unique_name", "email"] as const;

const headerGrammar = /^([A-Za-z]+)(?: +([A-Za-z0-9._~+/=-]+))?$/;

export function parseCredential(authorization: string | undefined): Credential {
  if (authorization === undefined) return { scheme: "none", person: undefined, authorization };
  const scheme = (/^[A-Za-z]+/.exec(authorization)?.[0] ?? "").toLowerCase();
  const token = headerGrammar.exec(authorization)?.[2];
  switch (scheme) {
    case "basic":
      return { scheme, person: personOfBasic(token), authorization };
    case "bearer":
      return { scheme, person: personOfBearer(token), authorization };
    case "ntlm":
    case "negotiate":
      return { scheme: "connection", person: undefined, authorization };
    default:
      return { scheme: "other", person: undefined, authorization };
  }
}

/** RFC 7617: base64 of `user:password`. A name that cannot be read in exactly one way is refused. */
function personOfBasic(token: string | undefined): Person {
  const bytes = token === undefined ? undefined : strictBase64(token);
  const colon = bytes?.indexOf(0x3a) ?? -1;
  if (bytes === undefined || colon === -1) throw ambiguous("basic credential is not base64 of name and password");
  const person = parsePerson(strictUtf8(bytes.subarray(0, colon)));
  if (person === undefined) throw ambiguous("name in the credential is outside the grammar");
  return person;
}

/** A token that is no JWT, or names nobody, is fine: it then proves nothing about whose device this is. */
function personOfBearer(token: string | undefined): Person | undefined {
  if (token === undefined) throw ambiguous("bearer credential is no token");
  const claims = jsonwebtoken.decode(token);
  if (claims === null || typeof claims === "string") return undefined;
  for (const name of personClaims) {
    const value: unknown = claims[name];
    if (typeof value !== "string") continue;
    const person = parsePerson(value);
    if (person === undefined) throw ambiguous("name in the token is outside the grammar");
    return person;
  }
  return undefined;
}

/** Only the canonical spelling: decoders differ on white space, noise, padding and unused bits. */
function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

function strictUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw ambiguous("name in the credential is no UTF-8");
  }
}

function ambiguous(detail: string): Refusal {
  return new Refusal("identity-ambiguous", 400, detail);
}
