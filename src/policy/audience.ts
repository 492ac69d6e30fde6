import type { Audience, Campaign, Wave } from "./campaign.ts";
import type { DeviceRecord } from "./device.ts";
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

function belongsTo(
  audience: Audience,
  record: DeviceRecord,
  campaign: string,
  homeDomains: readonly string[],
): boolean {
  return (
    includesAny(audience.regions, [record.region]) &&
    includesAny(audience.groups, record.groups) &&
    includesAny(audience.platforms, [record.platform]) &&
    includesAny(audience.ownerships, [record.ownership]) &&
    (audience.owners.length === 0 || audience.owners.some((owner) => isOwner(record, owner, homeDomains))) &&
    (audience.share === 1 || positionOf(record, campaign, homeDomains) < audience.share)
  );
}

function includesAny(wanted: readonly string[], has: readonly (string | undefined)[]): boolean {
  if (wanted.length === 0) return true;
  return has.some((word) => {
    const lower = word?.toLowerCase();
    return wanted.some((each) => each.toLowerCase() === lower);
  });
}

/** Where a phone stands among all, 0 to 1: the same on every node and for ever, and another in each campaign. */
function positionOf(record: DeviceRecord, campaign: string, homeDomains: readonly string[]): number {
  const owner = record.owner === undefined ? undefined : parsePerson(record.owner);
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
export function isOwner(record: DeviceRecord, name: string | Person, homeDomains: readonly string[]): boolean {
  const person = typeof name === "string" ? parsePerson(name) : name;
  if (person === undefined) return false;
  return [record.owner, record.email].some((owner) => owner !== undefined && namesPerson(owner, person, homeDomains));
}

/** Whether a name, in any of its forms, is that of this person. */
export function namesPerson(name: string, person: Person, homeDomains: readonly string[]): boolean {
  const named = parsePerson(name);
  return named !== undefined && samePerson(atHome(named, homeDomains), atHome(person, homeDomains));
}
