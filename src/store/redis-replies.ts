/** What Redis answers, and what may be told of it. */
import { ONLY_VALUE } from "./backend.ts";
import type { Stored } from "./backend.ts";
import { StoreUnavailable } from "./store.ts";

export type Reply = readonly [error: Error | null, result?: unknown];

/** @throws StoreUnavailable for anything but an answer, or the answer that something else than fields is there. */
export function toStored([error, result]: Reply): Stored {
  if (error?.message.startsWith("WRONGTYPE") === true) {
    return { kind: "unreadable", problem: "cannot be read: the key is not a hash" };
  }
  if (error !== null) throw unavailable(describe(error));
  if (typeof result === "string") return { kind: "fields", fields: new Map([[ONLY_VALUE, result]]) };
  const fields = new Map<string, string>();
  // Names and values in turn, as they came: whoever reads everything spares the object in between.
  if (Array.isArray(result)) {
    for (let index = 0; index + 1 < result.length; index += 2)
      fields.set(String(result[index]), String(result[index + 1]));
    return fields.size === 0 ? { kind: "absent" } : { kind: "fields", fields };
  }
  for (const [field, value] of Object.entries(result ?? {})) fields.set(field, String(value));
  return fields.size === 0 ? { kind: "absent" } : { kind: "fields", fields };
}

export function throwFirst(replies: readonly Reply[]): void {
  for (const [error] of replies) if (error !== null) throw unavailable(describe(error));
}

/** No answer of the server, not even a refusal. */
export function isSilence([error]: Reply): boolean {
  return error !== null && error.name !== "ReplyError";
}

export function isFromReplica([error]: Reply): boolean {
  return error?.message.startsWith("READONLY") === true;
}

/** The errors of ioredis carry their command with all arguments, AUTH included: only a scrubbed message goes on. */
export function unavailable(message: string): StoreUnavailable {
  return new StoreUnavailable(new Error(message));
}

export function describe(error: unknown): string {
  const message = (error instanceof Error ? error.message : "").replace(/,? with args beginning with:.*$/s, "");
  if (message !== "") return message;
  return error instanceof Error && "code" in error ? String(error.code) : "the connection failed";
}

/** `CLIENT TRACKINGINFO` is a flat list of names and values; `broken_redirect` its word for a listener that is gone. */
export function tracksFor(listener: number, info: unknown): boolean {
  if (!Array.isArray(info)) return false;
  const valueOf = (name: string): unknown => info[info.indexOf(name) + 1];
  const flags = valueOf("flags");
  if (!Array.isArray(flags) || !flags.includes("bcast") || flags.includes("broken_redirect")) return false;
  return valueOf("redirect") === listener;
}
