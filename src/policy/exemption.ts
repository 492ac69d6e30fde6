import { isOwner, namesPerson } from "./audience.ts";
import type { DeviceId, DeviceRecord } from "./device.ts";
import type { Person } from "./person.ts";

/** A named, reasoned, expiring excuse. It is over at the minute that it names. */
export interface Exemption {
  readonly id: string;
  /** One of these is enough. */
  readonly who: {
    readonly owners: readonly string[];
    readonly groups: readonly string[];
    readonly devices: readonly DeviceId[];
  };
  /** Undefined: from everything but an operator's own block; that is what a help desk gives for some hours. */
  readonly campaign: string | undefined;
  readonly until: Date;
  readonly reason: string;
  readonly by: string;
}

export interface Excused {
  readonly record: DeviceRecord | undefined;
  /** The one who asks. A record of theirs is not needed: the credential says who they are. */
  readonly person: Person | undefined;
}

/** The exemption that lasts longest of those that hold now; with `campaign` undefined, only one from everything. */
export function exemptionFor(
  exemptions: readonly Exemption[],
  campaign: string | undefined,
  excused: Excused,
  homeDomains: readonly string[],
  now: Date,
): Exemption | undefined {
  let longest: Exemption | undefined;
  for (const exemption of exemptions) {
    if (exemption.campaign !== undefined && exemption.campaign !== campaign) continue;
    if (exemption.until <= now || !excuses(exemption, excused, homeDomains)) continue;
    if (longest === undefined || exemption.until > longest.until) longest = exemption;
  }
  return longest;
}

function excuses({ who }: Exemption, { record, person }: Excused, homeDomains: readonly string[]): boolean {
  if (record !== undefined && who.devices.includes(record.id)) return true;
  if (record?.groups.some((group) => who.groups.includes(group.toLowerCase())) === true) return true;
  return who.owners.some(
    (owner) =>
      (person !== undefined && namesPerson(owner, person, homeDomains)) ||
      (record !== undefined && person === undefined && isOwner(record, owner, homeDomains)),
  );
}
