/** An operator's own words in the place of ours. */
import type { Campaign } from "../policy/campaign.ts";
import type { Finding } from "../policy/verdict.ts";
import type { Placeholder, Template, Wording } from "../policy/wording.ts";
import type { Language } from "./language.ts";
import type { Phrase } from "./phrase.ts";

/** Only what a campaign says of itself: the words come with each case, so they may change while the gate runs. */
export type CampaignWords = Pick<Campaign, "id" | "wording">;

/** What each place stands for in one letter. One that is not here stands for nothing there. */
export type Places = ReadonlyMap<Placeholder, Phrase>;

/** The parts of a letter that an operator may word. */
export interface Worded {
  readonly subject: Phrase | undefined;
  readonly why: Phrase | undefined;
  readonly steps: readonly Phrase[] | undefined;
  readonly after: Phrase | undefined;
}

/** Words for the campaign that the finding belongs to, in this language. */
export function wordingFor(
  finding: Finding | undefined,
  campaigns: readonly CampaignWords[],
  { tag }: Language,
): Wording | undefined {
  const id = finding !== undefined && "campaign" in finding ? finding.campaign : undefined;
  return id === undefined ? undefined : campaigns.find((campaign) => campaign.id === id)?.wording.get(tag);
}

/** A part with a place that stands for nothing is left to the words that come with the program: better than a hole. */
export function fillIn(wording: Wording | undefined, places: Places, inSubject: Places): Worded {
  const steps = wording?.steps?.flatMap((step) => {
    const filled = fill(step, places);
    return filled === undefined ? [] : [filled];
  });
  return {
    subject: fill(wording?.subject, inSubject),
    why: fill(wording?.why, places),
    steps: steps?.length === wording?.steps?.length ? steps : undefined,
    after: fill(wording?.after, places),
  };
}

function fill(template: Template | undefined, places: Places): Phrase | undefined {
  const parts = template?.map((part) => (typeof part === "string" ? [part] : places.get(part.place)));
  if (parts === undefined || parts.includes(undefined)) return undefined;
  return parts.flatMap((part) => part ?? []);
}
