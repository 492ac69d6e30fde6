/** What a campaign would have done, what was foreseen, and what has happened, side by side. */
import { grouped } from "../campaign/guard.ts";
import { fingerprintOf } from "../campaign/fingerprint.ts";
import type { KeptPreview } from "../campaign/kept-preview.ts";
import type { EffectTallies } from "../campaign/tally-names.ts";
import type { Campaign } from "../policy/campaign.ts";
import { effects } from "../policy/effect.ts";
import type { PolicyVersion } from "../store/store.ts";
import { momentText, printable, table, toned } from "./terminal.ts";

export interface CampaignReport {
  readonly wouldBe: EffectTallies;
  readonly was: EffectTallies;
  readonly preview: KeptPreview | undefined;
  /** The newest first. */
  readonly acts: readonly Pick<PolicyVersion, "version" | "at" | "act" | "who" | "why">[];
}

const ACTS_SHOWN_LIMIT = 10;

const words = {
  cut: "mail is kept back",
  warned: "told, mail flows",
  clean: "clean",
  excused: "excused",
  held: "held anyway",
} as const;

export function reportText(campaign: Campaign, { wouldBe, was, preview, acts }: CampaignReport): string {
  return [
    toned("strong", `${campaign.id} (${campaign.mode}): ${printable(campaign.title)}`),
    table([
      ["", ...["while it looked on", "while in force"].map((title) => toned("strong", title.padStart(20)))],
      ["", ...["phones   decisions", "phones   decisions"].map((title) => title.padStart(20))],
      ...effects.map((effect) => [`  ${words[effect]}`, cell(wouldBe, effect), cell(was, effect)]),
    ]),
    foreseenText(campaign, preview),
    toned("quiet", "One phone counts under each of these that it has been; someone without a record counts once."),
    ...(acts.length === 0 ? [] : [actsText(acts)]),
  ].join("\n\n");
}

function cell(tallies: EffectTallies, effect: (typeof effects)[number]): string {
  const { subjects, decisions } = tallies[effect];
  return `${grouped(subjects).padStart(8)}${grouped(decisions).padStart(12)}`;
}

function foreseenText(campaign: Campaign, kept: KeptPreview | undefined): string {
  if (kept === undefined) return "It was never previewed.";
  const when = momentText(new Date(kept.at));
  if (kept.fingerprint !== fingerprintOf(campaign))
    return `The preview of ${when} was of another version: the campaign asks for something else now.`;
  return `Previewed on ${when} by ${printable(kept.who)}: ${grouped(kept.cut)} would be cut, ${grouped(kept.newlyCut)} of whom read mail then.`;
}

function actsText(acts: CampaignReport["acts"]): string {
  const rows = acts
    .slice(0, ACTS_SHOWN_LIMIT)
    .map(({ version, at, act, who, why }) => [`  ${version}`, momentText(at), act, printable(who), printable(why)]);
  return `${toned("strong", "What was done")}\n${table(rows)}`;
}
