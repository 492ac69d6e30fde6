import { ownersOf } from "./audience.ts";
import type { DeviceId, DeviceRecord } from "./device.ts";
import { indexPeople, valuesFor } from "./people-index.ts";
import type { PeopleIndex } from "./people-index.ts";
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
  /**
   * The record of the phone, where it is the phone of the one who asks. A record of somebody else's says nothing here: an id
   * is a name that a client chooses, and the excused phone's would be the one to choose.
   */
  readonly record: DeviceRecord | undefined;
  /** The one who asks. A record of theirs is not needed: the credential says who they are. */
  readonly person: Person | undefined;
}

interface ExemptionIndex {
  readonly owners: PeopleIndex<Exemption>;
  readonly groups: ReadonlyMap<string, readonly Exemption[]>;
  readonly devices: ReadonlyMap<string, readonly Exemption[]>;
}

/** Made once for each list, and gone with it: there may be thousands, and each decision asks. */
const indexes = new WeakMap<readonly Exemption[], ExemptionIndex>();

function indexOf(exemptions: readonly Exemption[]): ExemptionIndex {
  const known = indexes.get(exemptions);
  if (known !== undefined) return known;
  const made: ExemptionIndex = {
    owners: indexPeople(
      exemptions.flatMap((exemption) => exemption.who.owners.map((owner) => [owner, exemption] as const)),
    ),
    groups: grouped(exemptions, ({ who }) => who.groups.map((group) => group.toLowerCase())),
    devices: grouped(exemptions, ({ who }) => who.devices),
  };
  indexes.set(exemptions, made);
  return made;
}

function grouped(
  exemptions: readonly Exemption[],
  keysOf: (exemption: Exemption) => readonly string[],
): ReadonlyMap<string, readonly Exemption[]> {
  const index = new Map<string, Exemption[]>();
  for (const exemption of exemptions) {
    for (const key of keysOf(exemption)) index.set(key, [...(index.get(key) ?? []), exemption]);
  }
  return index;
}

/** The exemption that lasts longest of those that hold now; with `campaign` undefined, only one from everything. */
export function exemptionFor(
  exemptions: readonly Exemption[],
  campaign: string | undefined,
  excused: Excused,
  homeDomains: readonly string[],
  now: Date,
): Exemption | undefined {
  if (exemptions.length === 0) return undefined;
  let longest: Exemption | undefined;
  for (const exemption of candidates(indexOf(exemptions), excused, homeDomains)) {
    if (exemption.campaign !== undefined && exemption.campaign !== campaign) continue;
    if (exemption.until > now && (longest === undefined || exemption.until > longest.until)) longest = exemption;
  }
  return longest;
}

/** Those that name the person, or the phone where it is theirs: by itself, by a group, or by another name of its owner. */
function candidates(
  { owners, groups, devices }: ExemptionIndex,
  { record, person }: Excused,
  homeDomains: readonly string[],
): Exemption[] {
  const people = [...(person === undefined ? [] : [person]), ...(record === undefined ? [] : ownersOf(record))];
  return [
    ...people.flatMap((each) => valuesFor(owners, each, homeDomains)),
    ...(record === undefined ? [] : (devices.get(record.id) ?? [])),
    ...(record?.groups ?? []).flatMap((group) => groups.get(group.toLowerCase()) ?? []),
  ];
}
