/**
 * Who would be hit, before anybody is: the whole store and the traffic of the last hour under a policy that is not in force
 * yet. One pass, in memory that does not grow with the number of phones.
 */
import type { Campaign, Guard } from "../policy/campaign.ts";
import type { DeviceId, DeviceRecord } from "../policy/device.ts";
import { accountKey, parsePerson } from "../policy/person.ts";
import type { Person } from "../policy/person.ts";
import type { Store } from "../store/store.ts";
import { createTally } from "./campaign-tally.ts";
import type { CampaignTally } from "./campaign-tally.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { createOutcomes } from "./outcome.ts";
import type { PolicyStep } from "./outcome.ts";
import type { Preview, PreviewedPhone } from "./preview-result.ts";

export interface PreviewOptions extends PolicyStep {
  readonly store: Pick<Store, "records" | "sightings">;
  readonly now: Date;
  /** Names of people and of groups. */
  readonly important?: readonly string[] | undefined;
  readonly onProgress?: ((share: number, records: number) => void) | undefined;
  /** Hears of every phone that a campaign concerns; the next one waits until it is done. */
  readonly onPhone?: ((phone: PreviewedPhone) => void | Promise<void>) | undefined;
}

const hourMs = 3_600_000;

/** 500 000 phones of the last hour: some 60 MB while the preview runs. */
const SIGHTED_LIMIT = 500_000;

/** One for each campaign that is asked about, in their order. @throws StoreUnavailable */
export async function previewPolicy(options: PreviewOptions): Promise<readonly Preview[]> {
  const { store, after, about, now, onProgress, onPhone } = options;
  const outcomesOf = createOutcomes(options, now);
  const isImportant = importantAmong(options.important ?? [], after.homeDomains);
  const tallies = new Map(after.campaigns.map((campaign) => [campaign.id, createTally(campaign)]));
  const sighted = await sightedIn(store, new Date(now.getTime() - hourMs));
  const seen = sighted.accounts.size;
  let records = 0;

  async function look(id: DeviceId, record: DeviceRecord | undefined, person: Person | undefined): Promise<void> {
    const isActive = sighted.accounts.delete(id);
    const outcomes = outcomesOf(record, person);
    if (outcomes.length === 0) return;
    const important = record !== undefined && isImportant(record, person);
    for (const outcome of outcomes) {
      const phone: PreviewedPhone = { id, record, person, outcome, isActive, isImportant: important };
      tallies.get(outcome.campaign)?.add(phone);
      if (onPhone !== undefined) await onPhone(phone);
    }
  }

  let share = 0;
  for await (const record of store.records((read) => {
    share = read;
    onProgress?.(share, records);
  })) {
    records += 1;
    const owner = record.owner ?? record.email;
    await look(record.id, record, owner === undefined ? undefined : parsePerson(owner));
  }
  const strangers = sighted.accounts.size;
  for (const [id, account] of sighted.accounts) await look(id, undefined, parsePerson(account));
  onProgress?.(1, records);

  return about.flatMap((id) => {
    const campaign = after.campaigns.find((each) => each.id === id);
    const tally = tallies.get(id);
    if (campaign === undefined || tally === undefined) return [];
    return [resultOf(campaign, tally, { records, seen, strangers, isComplete: sighted.isComplete, now })];
  });
}

function resultOf(
  campaign: Campaign,
  tally: CampaignTally,
  found: {
    readonly records: number;
    readonly seen: number;
    readonly strangers: number;
    readonly isComplete: boolean;
    readonly now: Date;
  },
): Preview {
  const { seen, strangers, isComplete } = found;
  const { traffic, ...figures } = tally.figures();
  return {
    campaign: campaign.id,
    title: campaign.title,
    mode: campaign.mode,
    fingerprint: fingerprintOf(campaign),
    at: found.now.toISOString(),
    guard: campaign.guard === undefined ? undefined : guardOf(campaign.guard),
    records: found.records,
    ...figures,
    traffic: { seen, isComplete, strangers, ...traffic },
  };
}

/** JSON has no word for infinity. */
function guardOf({ maxShare, maxDevices }: Guard): Preview["guard"] {
  return { maxShare, maxDevices: Number.isFinite(maxDevices) ? maxDevices : undefined };
}

async function sightedIn(
  store: Pick<Store, "sightings">,
  since: Date,
): Promise<{ readonly accounts: Map<DeviceId, string>; readonly isComplete: boolean }> {
  const accounts = new Map<DeviceId, string>();
  for await (const { id, account } of store.sightings(since)) {
    if (accounts.size >= SIGHTED_LIMIT && !accounts.has(id)) return { accounts, isComplete: false };
    accounts.set(id, account);
  }
  return { accounts, isComplete: true };
}

/** Names of people in any of their forms, and of groups: whatever is no name of a person here may be one of a group. */
function importantAmong(
  names: readonly string[],
  homeDomains: readonly string[],
): (record: DeviceRecord, person: Person | undefined) => boolean {
  const groups = new Set(names.map((name) => name.toLowerCase()));
  const keys = new Set(
    names.flatMap((name) => {
      const person = parsePerson(name);
      return person === undefined ? [] : [accountKey(person, homeDomains)];
    }),
  );
  if (names.length === 0) return () => false;
  return (record, person) => {
    if (person !== undefined && keys.has(accountKey(person, homeDomains))) return true;
    const other = record.email === undefined ? undefined : parsePerson(record.email);
    if (other !== undefined && keys.has(accountKey(other, homeDomains))) return true;
    return record.groups.some((group) => groups.has(group.toLowerCase()));
  };
}
