/**
 * Devices of a source that lists nothing and keeps nothing: each is asked anew before what it has said is too old. What was lost on its
 * way is found so too, and what a device says by itself in the meantime saves the question.
 */
import { managedBeginning, managedKeyOf } from "../inventory/managed-document.ts";
import type { Connector } from "../inventory/connector.ts";
import type { DocumentStore, Fields } from "../store/documents.ts";
import { StoreUnavailable } from "../store/store.ts";
import type { Tell } from "./events.ts";
import { pause } from "./pause.ts";
import { noteSignal } from "./signals.ts";

export interface AskAnewOptions {
  readonly connector: Connector;
  /** How old what a device has said may be, in milliseconds. */
  readonly everyMs: number;
  /** Fenced. */
  readonly store: Pick<DocumentStore, "transact" | "documents">;
  readonly tell: Tell;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** All devices of the source are read for it, so it is not done all the time. */
const LOOK_LEAST_MS = 60_000;
/** Looks in the time after which a device is asked anew: it may be a quarter of it late. */
const LOOKS = 4;
const STORE_AWAY_MS = 2000;

/** Resolves with the end of the signal. @throws LeadershipLost */
export async function askAnew({ connector, everyMs, store, tell, now, signal }: AskAnewOptions): Promise<void> {
  const { source } = connector;
  while (!signal.aborted) {
    try {
      const count = await look();
      if (count > 0)
        tell({ kind: "log", level: "info", event: "devices are asked anew", fields: { source, devices: count } });
      await pause(Math.max(LOOK_LEAST_MS, everyMs / LOOKS), signal);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      await pause(STORE_AWAY_MS, signal);
    }
  }

  async function look(): Promise<number> {
    let count = 0;
    for await (const [name, fields] of store.documents("managed", managedBeginning(source))) {
      if (signal.aborted) return count;
      const key = managedKeyOf(name);
      if (key === undefined || !isDue(fields, now().getTime() - everyMs)) continue;
      await noteSignal(store, source, key.sourceDeviceId, "refresh", now());
      count += 1;
    }
    return count;
  }
}

/** Of the fields only what is looked at is read: a list of apps is long. */
function isDue(fields: Fields, beforeMs: number): boolean {
  const saidAt = Date.parse(fields.get("deviceAt") ?? fields.get("heardAt") ?? "");
  return !(saidAt > beforeMs) && isEnrolled(fields.get("enrolment"));
}

function isEnrolled(text = ""): boolean {
  try {
    const enrolment: unknown = JSON.parse(text);
    return (
      typeof enrolment === "object" && enrolment !== null && "enrolled" in enrolment && enrolment.enrolled === true
    );
  } catch {
    return false;
  }
}
