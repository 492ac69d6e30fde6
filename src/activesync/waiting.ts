/** How long a Sync is willing to wait for news (MS-ASCMD 2.2.3.87.2, 2.2.3.197). */
import { has, text } from "./document.ts";
import { element } from "./document.ts";
import { syncStatus } from "./quarantine-sync.ts";
import type { Element } from "./wbxml.ts";

export type SyncWait =
  | { readonly kind: "no" }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "refused"; readonly document: Element };

const shortestMinutes = 1;
const longestMinutes = 59;
const shortestSeconds = 60;
const longestSeconds = 3540;

export function waitOf(request: Element): SyncWait {
  const minutes = text(request, "AirSync:Wait");
  const seconds = text(request, "AirSync:HeartbeatInterval");
  if (minutes !== undefined && seconds !== undefined) return { kind: "refused", document: syncStatus("4") };
  if (minutes !== undefined) return within(minutes, shortestMinutes, longestMinutes, 60_000);
  if (seconds !== undefined) return within(seconds, shortestSeconds, longestSeconds, 1000);
  return { kind: "no" };
}

function within(value: string, shortest: number, longest: number, unitMs: number): SyncWait {
  if (!/^\d{1,6}$/.test(value)) return { kind: "refused", document: syncStatus("4") };
  const number = Number(value);
  if (number >= shortest && number <= longest) return { kind: "wait", ms: number * unitMs };
  const limit = number < shortest ? shortest : longest;
  return { kind: "refused", document: syncStatus("14", element("AirSync:Limit", String(limit))) };
}

/** An empty or partial Sync means "as I said before" (MS-ASCMD 2.2.3.132). */
export function isPartial(request: Element | undefined): boolean {
  return request === undefined || has(request, "AirSync:Partial") || !has(request, "AirSync:Collections");
}
