/**
 * Who would be hit, before anybody is: the whole store and the traffic of the last hour under a policy that is not in force
 * yet. One pass, in memory that does not grow with the number of phones.
 */
import type { Campaign, Guard } from "../policy/campaign.ts";
import type { DeviceId } from "../policy/device.ts";
import { parsePerson } from "../policy/person.ts";
import type { Store } from "../store/store.ts";
import { createTally } from "./campaign-tally.ts";
import type { CampaignTally } from "./campaign-tally.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { campaignsAbout, createLook, ownerOf } from "./preview-batch.ts";
import type { BatchFigures, PreviewBatch, PreviewQuestion } from "./preview-batch.ts";
import type { Preview, PreviewedPhone } from "./preview-result.ts";

export interface PreviewOptions extends PreviewQuestion {
  readonly store: Pick<Store, "records" | "list" | "sightings">;
  readonly onProgress?: ((share: number, records: number) => void) | undefined;
  /** Hears of every phone that a campaign concerns; the next one waits until it is done. */
  readonly onPhone?: ((phone: PreviewedPhone) => void | Promise<void>) | undefined;
  /** Others who look at the records. Not where `onPhone` hears of every one. */
  readonly crew?: PreviewCrew | undefined;
}

/** Looks at batches of phones somewhere else, such as in other threads. */
export interface PreviewCrew {
  /** Batches that it can have at once. */
  readonly batchesAtOnce: number;
  /** @throws StoreUnavailable, and whatever else kept it from looking at every record of the batch. */
  look(question: PreviewQuestion, batch: PreviewBatch): Promise<BatchFigures>;
}

const hourMs = 3_600_000;

/** 500 000 phones of the last hour: some 60 MB while the preview runs. */
const SIGHTED_LIMIT = 500_000;
/** Ids that a crew gets at once: some 400 KB of records where each has 40 apps. */
const BATCH_IDS = 200;

/** One for each campaign that is asked about, in their order. @throws StoreUnavailable */
export async function previewPolicy(options: PreviewOptions): Promise<readonly Preview[]> {
  const { store, about, now, onProgress, onPhone, crew } = options;
  const look = createLook(options);
  const tallies = new Map(
    campaignsAbout(options).map((campaign) => [campaign.id, { campaign, ...createTally(campaign) }]),
  );
  const sighted = await sightedIn(store, new Date(now.getTime() - hourMs));
  const seen = sighted.accounts.size;
  const records = crew === undefined || onPhone !== undefined ? await lookAtAll() : await letLook(crew);
  const strangers = sighted.accounts.size;
  for (const [id, account] of sighted.accounts)
    await add(look({ id, record: undefined, person: parsePerson(account), isActive: true }));
  onProgress?.(1, records);

  return about.flatMap((id) => {
    const tally = tallies.get(id);
    if (tally === undefined) return [];
    return [resultOf(tally.campaign, tally, { records, seen, strangers, isComplete: sighted.isComplete, now })];
  });

  async function add(phones: readonly PreviewedPhone[]): Promise<void> {
    for (const phone of phones) {
      tallies.get(phone.outcome.campaign)?.add(phone);
      if (onPhone !== undefined) await onPhone(phone);
    }
  }

  async function lookAtAll(): Promise<number> {
    let count = 0;
    for await (const record of store.records((share) => onProgress?.(share, count))) {
      count += 1;
      const isActive = sighted.accounts.delete(record.id);
      await add(look({ id: record.id, record, person: ownerOf(record), isActive }));
    }
    return count;
  }

  /** What comes back is added in the order of the store, so that the figures are those of one who looks alone. */
  async function letLook(others: PreviewCrew): Promise<number> {
    const underWay: { readonly figures: Promise<BatchFigures>; readonly accounts: ReadonlyMap<DeviceId, string> }[] =
      [];
    let count = 0;
    let share = 0;
    let ids: DeviceId[] = [];

    async function send(): Promise<void> {
      if (underWay.length >= others.batchesAtOnce) await receive();
      const accounts = new Map<DeviceId, string>();
      for (const id of ids) {
        const account = sighted.accounts.get(id);
        // Taken out at once: an id that is listed twice is active once.
        if (account !== undefined && sighted.accounts.delete(id)) accounts.set(id, account);
      }
      const figures = others.look(options, { ids, active: [...accounts.keys()] });
      // Whoever fails first has said it; the others are left to themselves.
      figures.catch(() => {});
      underWay.push({ figures, accounts });
      ids = [];
    }

    async function receive(): Promise<void> {
      const first = underWay.shift();
      if (first === undefined) return;
      const figures = await first.figures;
      count += figures.records;
      for (const [id, part] of figures.parts) tallies.get(id)?.merge(part);
      for (const id of figures.gone) sighted.accounts.set(id, first.accounts.get(id) ?? "");
      onProgress?.(share, count);
    }

    for await (const id of store.list((read) => (share = read))) {
      ids.push(id);
      if (ids.length >= BATCH_IDS) await send();
    }
    if (ids.length > 0) await send();
    while (underWay.length > 0) await receive();
    return count;
  }
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
