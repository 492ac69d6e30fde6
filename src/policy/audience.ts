/** Which wave of a campaign a device belongs to. Asked at every decision, so what is written once is looked up, not searched. */
import type { Audience, Campaign, Wave } from "./campaign.ts";
import type { DeviceRecord } from "./device.ts";
import { indexPeople, namesAny } from "./people-index.ts";
import type { PeopleIndex } from "./people-index.ts";
import { accountKey, atHome, parsePerson, samePerson } from "./person.ts";
import type { Person } from "./person.ts";

/** The wave that speaks about this device: the first whose audience it belongs to. */
export function waveFor(campaign: Campaign, record: DeviceRecord, homeDomains: readonly string[]): Wave | undefined {
  return campaign.waves.find((wave) => belongsTo(wave.audience, record, campaign.id, homeDomains));
}

/** A device nobody reported belongs only to an audience that asks nothing. */
export function waveForEverybody(campaign: Campaign): Wave | undefined {
  return campaign.waves.find(({ audience }) => isEverybody(audience));
}

function isEverybody({ regions, groups, platforms, ownerships, owners, share }: Audience): boolean {
  return [regions, groups, platforms, ownerships, owners].every((part) => part.length === 0) && share === 1;
}

interface AudienceIndex {
  readonly regions: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  readonly platforms: ReadonlySet<string>;
  readonly ownerships: ReadonlySet<string>;
  readonly owners: PeopleIndex<true>;
}

/** Made once for each audience, and gone with it. */
const indexes = new WeakMap<Audience, AudienceIndex>();

function indexOf(audience: Audience): AudienceIndex {
  const known = indexes.get(audience);
  if (known !== undefined) return known;
  const lower = (words: readonly string[]): ReadonlySet<string> => new Set(words.map((word) => word.toLowerCase()));
  const made: AudienceIndex = {
    regions: lower(audience.regions),
    groups: lower(audience.groups),
    platforms: lower(audience.platforms),
    ownerships: lower(audience.ownerships),
    owners: indexPeople(audience.owners.map((name) => [name, true])),
  };
  indexes.set(audience, made);
  return made;
}

function belongsTo(
  audience: Audience,
  record: DeviceRecord,
  campaign: string,
  homeDomains: readonly string[],
): boolean {
  const { regions, groups, platforms, ownerships, owners } = indexOf(audience);
  return (
    includesAny(regions, [record.region]) &&
    includesAny(groups, record.groups) &&
    includesAny(platforms, [record.platform]) &&
    includesAny(ownerships, [record.ownership]) &&
    (audience.owners.length === 0 || namesAny(owners, ownersOf(record), homeDomains)) &&
    (audience.share === 1 || positionOf(record, campaign, homeDomains) < audience.share)
  );
}

function includesAny(wanted: ReadonlySet<string>, has: readonly (string | undefined)[]): boolean {
  return wanted.size === 0 || has.some((word) => word !== undefined && wanted.has(word.toLowerCase()));
}

/** The names under which a record knows its owner. */
export function ownersOf({ owner, email }: DeviceRecord): readonly Person[] {
  return [owner, email].flatMap((name) => (name === undefined ? [] : (parsePerson(name) ?? [])));
}

/** Where a phone stands among all, 0 to 1: the same on every node and for ever, and another in each campaign. */
function positionOf(record: DeviceRecord, campaign: string, homeDomains: readonly string[]): number {
  const [owner] = ownersOf(record);
  return hash32(`${campaign} ${owner === undefined ? record.id : accountKey(owner, homeDomains)}`) / 2 ** 32;
}

/** FNV-1a with the finish of MurmurHash3, which spreads what FNV leaves close together. */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Whether the record names this person, under any of the names that it gives. */
export function isOwner(record: DeviceRecord, person: Person, homeDomains: readonly string[]): boolean {
  const wanted = atHome(person, homeDomains);
  return ownersOf(record).some((owner) => samePerson(atHome(owner, homeDomains), wanted));
}
