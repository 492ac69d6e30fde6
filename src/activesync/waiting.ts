/** How long a Sync is willing to wait for news (MS-ASCMD 2.2.3.87.2, 2.2.3.197). */
import { has, text } from "./document.ts";
import type { VersionFeatures } from "./version.ts";
import type { Element } from "./wbxml.ts";

export type SyncWait =
  | { readonly kind: "no" }
  | { readonly kind: "wait"; readonly ms: number }
  /** The Status of the whole Sync, and the nearest time that can be had. */
  | { readonly kind: "refused"; readonly status: string; readonly limit: string | undefined };

const malformed: SyncWait = { kind: "refused", status: "4", limit: undefined };

const shortestMinutes = 1;
const longestMinutes = 59;
const shortestSeconds = 60;
const longestSeconds = 3540;

/** What the version does not have is no request of that version. */
export function waitOf(request: Element, syncWait: VersionFeatures["syncWait"] = "both"): SyncWait {
  const minutes = text(request, "AirSync:Wait");
  const seconds = text(request, "AirSync:HeartbeatInterval");
  if (minutes !== undefined && (seconds !== undefined || syncWait === "none")) return malformed;
  if (seconds !== undefined && syncWait !== "both") return malformed;
  if (minutes !== undefined) return within(minutes, shortestMinutes, longestMinutes, 60_000);
  if (seconds !== undefined) return within(seconds, shortestSeconds, longestSeconds, 1000);
  return { kind: "no" };
}

function within(value: string, shortest: number, longest: number, unitMs: number): SyncWait {
  if (!/^\d{1,6}$/.test(value)) return malformed;
  const number = Number(value);
  if (number >= shortest && number <= longest) return { kind: "wait", ms: number * unitMs };
  const limit = number < shortest ? shortest : longest;
  return { kind: "refused", status: "14", limit: String(limit) };
}

/** An empty or partial Sync means "as I said before" (MS-ASCMD 2.2.3.132). */
export function isPartial(request: Element | undefined): boolean {
  return request === undefined || has(request, "AirSync:Partial") || !has(request, "AirSync:Collections");
}
