/** A phone that is left lying on the table: it waits for news by Ping and shows itself again when something has changed. */
import { setTimeout as sleep } from "node:timers/promises";
import { PhoneError } from "./errors.ts";
import { isTemporary, type Trouble } from "./outcome.ts";
import type { Phone } from "./phone.ts";

export type Pause = (milliseconds: number, signal: AbortSignal) => Promise<void>;
export type Fetched = { readonly kind: "ok" } | Trouble | PhoneError;

export interface WatchOptions {
  readonly heartbeatSeconds: number;
  readonly signal: AbortSignal;
  readonly pause: Pause;
  /** Called after every attempt to fetch mail. */
  show(result: Fetched): Promise<void>;
}

const firstPauseMs = 5_000;
const longestPauseMs = 300_000;
/** A Ping that is answered at once, time after time, must not become a busy loop. */
const breathMs = 1_000;

/** Ends when `signal` says so, or with what no waiting will mend. */
export async function watch(phone: Phone, options: WatchOptions): Promise<Fetched> {
  const { signal, pause } = options;
  let pauseMs = firstPauseMs;
  let stale = true;
  let hasty = false;
  for (;;) {
    const result: Fetched = stale ? await attempt(() => phone.refresh({ signal })) : { kind: "ok" };
    if (stale) await options.show(result);
    const news = result instanceof PhoneError || result.kind !== "ok" ? result : await waitForNews();
    if (signal.aborted) return { kind: "ok" };
    if (news === "again") {
      pauseMs = firstPauseMs;
      continue;
    }
    if (!mayMend(news)) {
      if (result !== news) await options.show(news);
      return news;
    }
    await pause(waitFor(news, pauseMs), signal);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    stale = true;
    if (signal.aborted) return { kind: "ok" };
  }

  async function waitForNews(): Promise<"again" | Trouble | PhoneError> {
    const began = performance.now();
    const outcome = await attempt(() => phone.ping(options.heartbeatSeconds, signal));
    const atOnce = performance.now() - began < breathMs;
    if (atOnce && hasty && !signal.aborted) await pause(breathMs, signal);
    hasty = atOnce;
    if (outcome instanceof PhoneError) return outcome;
    switch (outcome.kind) {
      case "expired":
        stale = false;
        return "again";
      case "changes":
      case "folders-changed":
        stale = true;
        return "again";
      case "nothing-to-watch":
        await pause(longestPauseMs, signal);
        stale = true;
        return "again";
      case "busy":
      case "command-status":
      case "credentials":
      case "forbidden":
      case "http":
      case "moved":
      case "provisioning":
      case "stopped":
      case "wipe":
        return outcome;
    }
  }
}

export async function attempt<Result>(run: () => Promise<Result>): Promise<Result | PhoneError> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof PhoneError) return error;
    throw error;
  }
}

/** Until the time is over or the person has had enough. */
export const pauseFor: Pause = async (milliseconds, signal) => {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
};

function mayMend(result: Trouble | PhoneError): boolean {
  if (!(result instanceof PhoneError)) return isTemporary(result);
  return result.code === "unreachable" || result.code === "timeout" || result.code === "connection-lost";
}

function waitFor(result: Trouble | PhoneError, pauseMs: number): number {
  if (result instanceof PhoneError || result.kind !== "busy") return pauseMs;
  return result.retryAfterSeconds === undefined ? pauseMs : Math.min(result.retryAfterSeconds * 1000, longestPauseMs);
}
