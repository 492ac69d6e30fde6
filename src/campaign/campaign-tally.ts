/** The figures of a preview for one campaign, added up phone by phone. */
import type { Campaign } from "../policy/campaign.ts";
import { createBoundedCounts, noFigures } from "./bounded-counts.ts";
import type { Figures, NamedFigures } from "./bounded-counts.ts";
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
}

interface WaveTally extends NamedFigures {
  first: Date | undefined;
  last: Date | undefined;
}

export function createTally(campaign: Campaign): CampaignTally {
  const all = { ...noFigures(), warnedNow: 0, excused: 0, held: 0, cutNow: 0, newlyCut: 0, graced: 0 };
  const waves = campaign.waves.map((_, index): WaveTally => ({
    name: `wave ${index + 1}`,
    ...noFigures(),
    first: undefined,
    last: undefined,
  }));
  const stances = { "not-enrolled": noFigures(), stale: noFigures(), uninspectable: noFigures(), unknown: noFigures() };
  const traffic = { concerned: 0, cut: 0, strangersCut: 0 };
  const [regions, groups, platforms, systems] = [
    createBoundedCounts(WORDS_LIMIT),
    createBoundedCounts(WORDS_LIMIT),
    createBoundedCounts(WORDS_LIMIT),
    createBoundedCounts(WORDS_LIMIT),
  ];
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
      wave.first = wave.first === undefined || from < wave.first ? from : wave.first;
      wave.last = wave.last === undefined || from > wave.last ? from : wave.last;
    }
    if (isGraced) {
      all.graced += 1;
      return;
    }
    const at = from.getTime();
    if (deadlines.has(at) || deadlines.size < DEADLINES_LIMIT) deadlines.set(at, (deadlines.get(at) ?? 0) + 1);
  }

  function addImportant({ id, record, outcome }: PreviewedPhone): void {
    if (important.length >= IMPORTANT_LIMIT) {
      importantMore += 1;
      return;
    }
    important.push({
      device: id,
      owner: record?.owner ?? record?.email ?? "",
      region: record?.region,
      platform: record?.platform,
      effect: outcome.effect,
      from: outcome.from?.toISOString(),
      reason: outcome.reason,
    });
  }

  return {
    add,
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
