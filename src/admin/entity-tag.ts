/** Tags by which a client says what it has seen (RFC 9110, 8.8.3), so that it does not undo what somebody else did since. */
import { createHash } from "node:crypto";
import type { Fields } from "../store/documents.ts";
import { Problem } from "./problem.ts";

export function policyTag(version: number): string {
  return `policy-${version}`;
}

/** Undefined: whichever is there. @throws Problem where it is the tag of something else. */
export function policyVersionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch === "*") return undefined;
  const version = /^policy-(\d{1,9})$/.exec(ifMatch)?.[1];
  if (version === undefined) throw new Problem("precondition-failed", { detail: "it is no tag of a policy" });
  return Number(version);
}

/** Of what stands in a record, by whomever it was written. */
export function recordTag(fields: Fields | undefined): string {
  const sorted = [...(fields ?? [])].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `record-${createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 16)}`;
}

/** @throws Problem */
export function requireRecordTag(ifMatch: string | undefined, fields: Fields | undefined): void {
  if (ifMatch === undefined || (ifMatch === "*" && fields !== undefined)) return;
  const current = recordTag(fields);
  if (ifMatch !== current) throw new Problem("precondition-failed", { members: { current } });
}

/** One strong tag, or `*`. Lists and weak tags compare in ways that nobody here needs. @throws Problem */
export function readIfMatch(header: string | undefined): string | undefined {
  if (header === undefined || header === "*") return header;
  const tag = /^"([\x21\x23-\x7e]{1,128})"$/.exec(header)?.[1];
  if (tag === undefined) throw new Problem("bad-request", { detail: "If-Match must be one strong tag, or *" });
  return tag;
}
