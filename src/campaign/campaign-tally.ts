/** The figures of a preview for one campaign, added up phone by phone. */
import type { Campaign } from "../policy/campaign.ts";
import { earlier, later } from "../policy/time.ts";
import { addFigures, createBoundedCounts, noFigures } from "./bounded-counts.ts";
import type { CountsPart, Figures, NamedFigures } from "./bounded-counts.ts";
import type { Outcome } from "./outcome.ts";
import { stanceNames } from "./preview-result.ts";
import type { ImportantPhone, Preview, PreviewedPhone, StanceName, TrafficFigures } from "./preview-result.ts";

/** Words of one kind: more than a company has regions, and than anybody reads. */
const WORDS_LIMIT = 200;
/** Moments at which phones are cut: a hundred waves in a handful of zones each. Later ones are counted by the wave. */
const DEADLINES_LIMIT = 500;
/** Phones of people who were named; whoever has more of them has named everybody. */
const IMPORTANT_LIMIT = 500;
const SAMPLE_LIMIT = 20;

type TallyFigures = Omit<
  Preview,
  "campaign" | "title" | "mode" | "fingerprint" | "at" | "guard" | "records" | "traffic"
> & { readonly traffic: Pick<TrafficFigures, "concerned" | "cut" | "strangersCut"> };

export interface CampaignTally {
  add(phone: PreviewedPhone): void;
  figures(): TallyFigures;
  /** What was added, for another tally of the same campaign. */
  part(): TallyPart;
  /** Parts that are merged in the order of their phones come to what all of these phones added one by one would. */
  merge(part: TallyPart): void;
}

/** Plain data, for another thread. */
export interface TallyPart {
  readonly all: Readonly<Record<Sum, number>>;
  readonly waves: readonly WaveTally[];
  readonly stances: Readonly<Record<StanceName, Figures>>;
  readonly traffic: Readonly<Record<TrafficSum, number>>;
  readonly words: Readonly<Record<Sort, CountsPart>>;
  readonly deadlines: ReadonlyMap<number, number>;
  readonly reasons: ReadonlyMap<string, number>;
  readonly important: readonly ImportantPhone[];
  readonly importantMore: number;
  readonly sample: readonly string[];
}

const ownSums = ["warnedNow", "excused", "held", "cutNow", "newlyCut", "graced"] as const;
type Sum = keyof Figures | (typeof ownSums)[number];
const trafficSums = ["concerned", "cut", "strangersCut"] as const;
type TrafficSum = (typeof trafficSums)[number];
const sorts = ["regions", "groups", "platforms", "systems"] as const;
type Sort = (typeof sorts)[number];

interface WaveTally extends NamedFigures {
  first: Date | undefined;
  last: Date | undefined;
}

/** @param wordsLimit more for a part of a tally, whose words only the whole can choose among; a part is of few phones. */
export function createTally(campaign: Campaign, wordsLimit = WORDS_LIMIT): CampaignTally {
  const all = { ...noFigures(), warnedNow: 0, excused: 0, held: 0, cutNow: 0, newlyCut: 0, graced: 0 };
  const waves = campaign.waves.map((_, index): WaveTally => ({
    name: `wave ${index + 1}`,
    ...noFigures(),
    first: undefined,
    last: undefined,
  }));
  const stances = { "not-enrolled": noFigures(), stale: noFigures(), uninspectable: noFigures(), unknown: noFigures() };
  const traffic = { concerned: 0, cut: 0, strangersCut: 0 };
  const words = {
    regions: createBoundedCounts(wordsLimit),
    groups: createBoundedCounts(wordsLimit),
    platforms: createBoundedCounts(wordsLimit),
    systems: createBoundedCounts(wordsLimit),
  };
  const { regions, groups, platforms, systems } = words;
  const deadlines = new Map<number, number>();
  const reasons = new Map<string, number>();
  const important: ImportantPhone[] = [];
  const sample: string[] = [];
  let importantMore = 0;

  function add(phone: PreviewedPhone): void {
    const { id, record, outcome, isActive } = phone;
    for (const figures of [
      all,
      regions.of(record?.region),
      platforms.of(record?.platform),
      systems.of(systemOf(phone)),
    ])
      count(figures, outcome);
    const names = record?.groups ?? [];
    if (names.length === 0) count(groups.of(undefined), outcome);
    else for (const group of new Set(names)) count(groups.of(group), outcome);
    const stance = stanceIn(outcome.reason);
    if (stance !== undefined) count(stances[stance], outcome);
    const wave = waves[outcome.wave];
    if (wave !== undefined) count(wave, outcome);

    if (outcome.isWarnedNow) all.warnedNow += 1;
    if (outcome.effect === "excused") all.excused += 1;
    if (outcome.effect === "held") all.held += 1;
    if (isActive) traffic.concerned += 1;
    if (phone.isImportant) addImportant(phone);
    if (outcome.effect !== "cut") return;

    if (isActive) traffic.cut += 1;
    if (record === undefined) traffic.strangersCut += 1;
    if (!outcome.isCutToday) all.newlyCut += 1;
    reasons.set(outcome.reason, (reasons.get(outcome.reason) ?? 0) + 1);
    if (sample.length < SAMPLE_LIMIT) sample.push(id);
    addDeadline(outcome, wave);
  }

  function addDeadline({ from, isGraced }: Outcome, wave: WaveTally | undefined): void {
    if (from === undefined) {
      all.cutNow += 1;
      return;
    }
    if (wave !== undefined) {
      wave.first = earlier(wave.first, from);
      wave.last = later(wave.last, from);
    }
    if (isGraced) {
      all.graced += 1;
      return;
    }
    countDeadline(from.getTime(), 1);
  }

  function countDeadline(at: number, cut: number): void {
    if (deadlines.has(at) || deadlines.size < DEADLINES_LIMIT) deadlines.set(at, (deadlines.get(at) ?? 0) + cut);
  }

  function addImportant({ id, record, outcome }: PreviewedPhone): void {
    listImportant({
      device: id,
      owner: record?.owner ?? record?.email ?? "",
      region: record?.region,
      platform: record?.platform,
      effect: outcome.effect,
      from: outcome.from?.toISOString(),
      reason: outcome.reason,
    });
  }

  function listImportant(phone: ImportantPhone): void {
    if (important.length < IMPORTANT_LIMIT) important.push(phone);
    else importantMore += 1;
  }

  function merge(part: TallyPart): void {
    addFigures(all, part.all);
    for (const sum of ownSums) all[sum] += part.all[sum];
    for (const sum of trafficSums) traffic[sum] += part.traffic[sum];
    for (const [index, more] of part.waves.entries()) {
      const wave = waves[index];
      if (wave === undefined) continue;
      addFigures(wave, more);
      wave.first = earlier(wave.first, more.first);
      wave.last = later(wave.last, more.last);
    }
    for (const name of stanceNames) addFigures(stances[name], part.stances[name]);
    for (const sort of sorts) words[sort].merge(part.words[sort]);
    for (const [at, cut] of part.deadlines) countDeadline(at, cut);
    for (const [reason, cut] of part.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + cut);
    for (const phone of part.important) listImportant(phone);
    importantMore += part.importantMore;
    sample.push(...part.sample.slice(0, SAMPLE_LIMIT - sample.length));
  }

  return {
    add,
    merge,
    part: (): TallyPart => ({
      all,
      waves,
      stances,
      traffic,
      words: {
        regions: regions.part(),
        groups: groups.part(),
        platforms: platforms.part(),
        systems: systems.part(),
      },
      deadlines,
      reasons,
      important,
      importantMore,
      sample,
    }),
    figures: (): TallyFigures => ({
      ...all,
      deadlines: [...deadlines]
        .toSorted(([a], [b]) => a - b)
        .map(([at, cut]) => ({ from: new Date(at).toISOString(), cut })),
      waves: waves.map(({ name, concerned, clean, warned, cut, first, last }) => ({
        name,
        concerned,
        clean,
        warned,
        cut,
        first: first?.toISOString(),
        last: last?.toISOString(),
      })),
      stances: {
        "not-enrolled": stanceFigures(stances["not-enrolled"]),
        stale: stanceFigures(stances.stale),
        uninspectable: stanceFigures(stances.uninspectable),
        unknown: stanceFigures(stances.unknown),
      },
      traffic,
      regions: regions.list(),
      groups: groups.list(),
      platforms: platforms.list(),
      systems: systems.list(),
      reasons: [...reasons].map(([name, cut]) => ({ name, cut })).toSorted((a, b) => b.cut - a.cut),
      important: important.toSorted(byUrgency),
      importantMore,
      sample,
    }),
  };
}

function count(figures: Figures, { effect }: Outcome): void {
  figures.concerned += 1;
  if (effect === "clean" || effect === "warned" || effect === "cut") figures[effect] += 1;
}

function stanceFigures({ concerned, warned, cut }: Figures): Preview["stances"][StanceName] {
  return { devices: concerned, warned, cut };
}

function stanceIn(reason: Outcome["reason"]): StanceName | undefined {
  return reason === "record-unreadable" ? "unknown" : stanceNames.find((name) => name === reason);
}

function systemOf({ record }: PreviewedPhone): string | undefined {
  return record?.osVersion === undefined ? undefined : `${record.platform ?? "?"} ${record.osVersion}`;
}

const urgency = ["cut", "held", "warned", "excused", "clean"];

/** Those who lose their mail first, and the first of them at once. */
function byUrgency(a: ImportantPhone, b: ImportantPhone): number {
  const difference = urgency.indexOf(a.effect) - urgency.indexOf(b.effect);
  if (difference !== 0) return difference;
  const [one, other] = [`${a.from ?? ""} ${a.owner}`, `${b.from ?? ""} ${b.owner}`];
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
