/**
 * People who come with one device id after the other. An id is a name that a client chooses, so somebody with a good password
 * and a phone that gets no mail can try ids until one of them is let in.
 */
import type { DeviceId } from "../policy/device.ts";
import type { Reason } from "../policy/verdict.ts";
import { Refusal } from "./errors.ts";
import type { Claim, Decision } from "./protocol.ts";

export interface StrangeDevicesOptions {
  /** Ids within an hour that no record of this person's phones names. */
  readonly perHour: number;
  /** Whether a device was known before it asked this time. */
  readonly isKnown: (spelling: DeviceId, account: string) => boolean;
  /** Called once for each person who has reached the number. */
  readonly onMany: (account: string) => void;
  readonly now: () => number;
}

export interface StrangeDevices {
  /**
   * Whoever has tried as many gets no answer about one more, whatever it would have been: it might be the one.
   * @throws Refusal `too-many-devices`
   */
  check(claim: Claim, decision: Decision): void;
  /** Upstream knows the person: what was asked counts. A name that nobody has proven counts for nothing. */
  note(claim: Claim, decision: Decision): void;
}

const hourMs = 3_600_000;
/** People with ids that are counted; who was here longest ago is forgotten first. */
const PEOPLE_LIMIT = 10_000;

/** An id of which there is no record, or the record of somebody else's phone. */
const strange: ReadonlySet<Reason> = new Set(["not-enrolled", "owner-mismatch"]);

export function createStrangeDevices({ perHour, isKnown, onMany, now }: StrangeDevicesOptions): StrangeDevices {
  const people = new Map<string, Map<DeviceId, number>>();

  function recent(account: string): Map<DeviceId, number> {
    const ids = people.get(account) ?? new Map<DeviceId, number>();
    for (const [id, at] of ids) if (now() - at >= hourMs) ids.delete(id);
    return ids;
  }

  return {
    check({ subject }, { device }): void {
      if (subject.kind !== "device" || device === undefined || !isNamed(device.account)) return;
      const [spelling] = subject.candidates;
      const ids = recent(device.account);
      if (ids.size < perHour || ids.has(device.id) || isKnown(spelling, device.account)) return;
      throw new Refusal("too-many-devices", 503, "one person has tried too many device ids", hourMs / 1000);
    },
    note({ subject }, { device, verdict }): void {
      if (subject.kind !== "device" || device === undefined || !isNamed(device.account)) return;
      // Where strangers are let in, nobody has to look for an id that is.
      if (verdict.action === "allow" || !strange.has(verdict.reason)) return;
      const ids = recent(device.account);
      const isNew = !ids.has(device.id);
      ids.set(device.id, now());
      people.delete(device.account);
      people.set(device.account, ids);
      const [oldest] = people.keys();
      if (people.size > PEOPLE_LIMIT && oldest !== undefined) people.delete(oldest);
      if (isNew && ids.size === perHour) onMany(device.account);
    },
  };
}

/** Credentials that name nobody would all be one person. */
function isNamed(account: string): boolean {
  return account !== "";
}
