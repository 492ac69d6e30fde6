import type { Audience, Campaign, Wave } from "./campaign.ts";
import type { DeviceRecord } from "./device.ts";
import { atHome, parsePerson, samePerson } from "./person.ts";
import type { Person } from "./person.ts";

/** The wave that speaks about this device: the first whose audience it belongs to. */
export function waveFor(campaign: Campaign, record: DeviceRecord, homeDomains: readonly string[]): Wave | undefined {
  return campaign.waves.find((wave) => belongsTo(wave.audience, record, homeDomains));
}

/** A device nobody reported belongs only to an audience that asks nothing. */
export function waveForEverybody(campaign: Campaign): Wave | undefined {
  return campaign.waves.find(({ audience }) =>
    Object.values(audience).every((part: readonly string[]) => part.length === 0),
  );
}

function belongsTo(audience: Audience, record: DeviceRecord, homeDomains: readonly string[]): boolean {
  return (
    includesAny(audience.regions, [record.region]) &&
    includesAny(audience.groups, record.groups) &&
    includesAny(audience.platforms, [record.platform]) &&
    includesAny(audience.ownerships, [record.ownership]) &&
    (audience.owners.length === 0 || audience.owners.some((owner) => ownedBy(record, owner, homeDomains)))
  );
}

function includesAny(wanted: readonly string[], has: readonly (string | undefined)[]): boolean {
  if (wanted.length === 0) return true;
  const lower = new Set(wanted.map((word) => word.toLowerCase()));
  return has.some((word) => word !== undefined && lower.has(word.toLowerCase()));
}

function ownedBy(record: DeviceRecord, name: string, homeDomains: readonly string[]): boolean {
  const person = parsePerson(name);
  return person !== undefined && isOwner(record, person, homeDomains);
}

/** Whether the record names this person, under any of the names that it gives. */
export function isOwner(record: DeviceRecord, person: Person, homeDomains: readonly string[]): boolean {
  return [record.owner, record.email].some((name) => {
    const owner = name === undefined ? undefined : parsePerson(name);
    return owner !== undefined && samePerson(atHome(owner, homeDomains), atHome(person, homeDomains));
  });
}
