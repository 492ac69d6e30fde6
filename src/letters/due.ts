/** Which letters a phone's owner should have by now. Pure: what was sent is an argument. */
import type { Campaign, Policy } from "../policy/campaign.ts";
import type { DeviceRecord } from "../policy/device.ts";
import { judge } from "../policy/judge.ts";
import { parsePerson } from "../policy/person.ts";
import type { Finding, Ruling } from "../policy/verdict.ts";
import type { LetterKind } from "../store/store.ts";

/** What the owner of one phone was told about one campaign in its run. */
export interface Told {
  /** How many announcements there were: one, and another each time that a phone fell out of order after a confirmation. */
  readonly announced: number;
  /** The number of the last reminder; 0: none. */
  readonly reminders: number;
  /** How many of them were followed by a confirmation. */
  readonly confirmed: number;
}

export const toldNothing: Told = { announced: 0, reminders: 0, confirmed: 0 };

/** A phone whose reports change to and fro would otherwise write to its owner for ever; the notice goes on telling. */
const ANNOUNCEMENTS_LIMIT = 5;

export interface DueLetter {
  readonly campaign: Campaign;
  readonly kind: Exclude<LetterKind, "correction">;
  readonly number: number;
  /** Reminders that an announcement makes superfluous, because they are due already. */
  readonly remindersDue: number;
  /** Whether mail still flows. */
  readonly phase: "warned" | "held";
  readonly findings: readonly Finding[];
}

export function dueLetters(
  record: DeviceRecord,
  policy: Policy,
  toldOf: (campaign: string) => Told,
  now: Date,
): readonly DueLetter[] {
  const owner = record.owner ?? record.email;
  const person = owner === undefined ? undefined : parsePerson(owner);
  const { rulings = [], action } = judge({ record, person, lastKnown: undefined }, policy, now);
  return policy.campaigns.flatMap((campaign) => {
    if (campaign.mode !== "enforce") return [];
    const own = rulings.filter((ruling) => ruling.campaign === campaign.id && ruling.phase !== "scheduled");
    const remindersDue = Math.max(0, ...own.map(({ reminders }) => reminders ?? 0));
    const letter = dueOf(own, toldOf(campaign.id), remindersDue);
    const findings = own.filter(isHeldAgainst).flatMap(({ finding }) => finding ?? []);
    return letter === undefined
      ? []
      : [{ campaign, ...letter, remindersDue, phase: action === "allow" ? "warned" : "held", findings }];
  });
}

function dueOf(
  own: readonly Ruling[],
  told: Told,
  remindersDue: number,
): Pick<DueLetter, "kind" | "number"> | undefined {
  if (own.some(isHeldAgainst)) {
    if (told.announced <= told.confirmed)
      return told.announced < ANNOUNCEMENTS_LIMIT ? { kind: "announcement", number: told.announced } : undefined;
    return remindersDue > told.reminders ? { kind: "reminder", number: remindersDue } : undefined;
  }
  // A phone that fulfils everything now, and did not when its owner was told. An excuse is no fulfilment.
  const isClean = own.length > 0 && own.every(({ reason, state }) => reason !== "exempted" && state === "compliant");
  return isClean && told.announced > told.confirmed ? { kind: "confirmation", number: told.announced - 1 } : undefined;
}

function isHeldAgainst({ action }: Ruling): boolean {
  return action !== "allow";
}
