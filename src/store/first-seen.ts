/**
 * When each device with a record was seen first: for campaigns that give newly seen phones some grace. It is Postern's own note
 * and no field of the record, so that neither a client nor a rewritten record can renew it.
 */
import type { DeviceId, DeviceRecord } from "../policy/device.ts";
import { ONLY_VALUE } from "./backend.ts";
import type { Backend, Stored } from "./backend.ts";

export interface FirstSeenStore {
  /**
   * Notes that a device with a record is seen, where nobody has noted it. An id without a record is never noted. False where
   * nothing was: there is no such record, or nobody has looked yet at who was there before.
   * @throws StoreUnavailable
   */
  meet(id: DeviceId): Promise<boolean>;
  /**
   * The same for every device with a record. Those whom the very first look finds were there before anybody looked, so none of
   * them is new. True where it came to its end. @throws StoreUnavailable
   */
  meetEverybody(mayGoOn: () => boolean): Promise<boolean>;
}

/** 400 days after the record was there last: whoever removes it and writes it again renews nothing. */
export const FIRST_SEEN_TTL_SECONDS = 400 * 86_400;
/** 200 days: once in so long a note that still counts is written anew, to be kept on. */
export const FIRST_SEEN_RENEWED_SECONDS = 200 * 86_400;
/** Where nobody has looked at the others yet, it is not asked for each request. */
const ASK_AGAIN_MS = 5_000;
const BATCH_IDS = 200;
/** What stands there of those who were there before. */
const EARLIER_MS = 0;

export function firstSeenOf(backend: Backend, now: () => Date, onNoted: (id: DeviceId) => void): FirstSeenStore {
  let askAgainAt = 0;

  return {
    async meet(id): Promise<boolean> {
      const nowMs = now().getTime();
      if (nowMs < askAgainAt && askAgainAt <= nowMs + ASK_AGAIN_MS) return false;
      const [since, [record]] = await Promise.all([backend.firstSeenSince(), backend.read([{ kind: "device", id }])]);
      if (since === undefined) askAgainAt = nowMs + ASK_AGAIN_MS;
      if (since === undefined || record === undefined || record.kind === "absent") return false;
      await backend.noteFirstSeen([id], nowMs, "at once");
      onNoted(id);
      return true;
    },
    async meetEverybody(mayGoOn): Promise<boolean> {
      const since = await backend.firstSeenSince();
      const begunMs = now().getTime();
      for await (const { devices } of backend.scan(false)) {
        for (let first = 0; first < devices.length; first += BATCH_IDS) {
          if (!mayGoOn()) return false;
          const ids = devices.slice(first, first + BATCH_IDS).map(({ id }) => id);
          await backend.noteFirstSeen(ids, since === undefined ? EARLIER_MS : now().getTime(), "patiently");
        }
      }
      if (since === undefined) await backend.beginFirstSeen(begunMs);
      return true;
    },
  };
}

/** Milliseconds since 1970; what may follow them is the backend's own. What cannot be read makes nobody new. */
export function readFirstSeen(stored: Stored | undefined): DeviceRecord["firstSeenAt"] {
  if (stored === undefined || stored.kind === "absent") return undefined;
  const text = stored.kind === "fields" ? stored.fields.get(ONLY_VALUE) : undefined;
  const ms = Number(/^(\d{1,15})(?: |$)/.exec(text ?? "")?.[1] ?? EARLIER_MS);
  return ms === EARLIER_MS ? "earlier" : new Date(ms);
}
