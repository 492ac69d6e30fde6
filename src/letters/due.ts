/** Which letters a phone's owner should have by now. Pure: what was sent is an argument. */
import type { Campaign, Policy } from "../policy/campaign.ts";
import type { DeviceRecord } from "../policy/device.ts";
import { judge } from "../policy/judge.ts";
import { atHome, parsePerson, samePerson } from "../policy/person.ts";
import type { Finding, Ruling } from "../policy/verdict.ts";
import type { Addressee, LetterKind } from "../store/store.ts";

/** What was told of one phone about one campaign in its run, to whoever owned it then. */
export interface Told {
  /** The first one; one more for each new owner, and each time that the phone fell out of order after a confirmation. */
  readonly announcements: readonly Announcement[];
  /** The number of the last reminder; 0: none. */
  readonly reminders: number;
  /** The announcements, by number, that were followed by a confirmation. */
  readonly confirmed: readonly number[];
}

export interface Announcement extends Addressee {
  readonly number: number;
  /** Whether it may have been read: it was not refused, given up, or sent back. */
  readonly isDelivered: boolean;
}

export const toldNothing: Told = { announcements: [], reminders: 0, confirmed: [] };

/** A phone whose reports change to and fro would otherwise write to its owners for ever; the notice goes on telling. */
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
  const owner = ownerNameOf(record);
  const person = owner === undefined ? undefined : parsePerson(owner);
  const { rulings = [], action } = judge({ record, person, lastKnown: undefined }, policy, now);
  return policy.campaigns.flatMap((campaign) => {
    if (campaign.mode !== "enforce") return [];
    const own = rulings.filter((ruling) => ruling.campaign === campaign.id && ruling.phase !== "scheduled");
    const remindersDue = Math.max(0, ...own.map(({ reminders }) => reminders ?? 0));
    const letter = dueOf(own, toldOf(campaign.id), remindersDue, (each) => isTheirs(each, record, policy));
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
  isToOwner: (addressee: Addressee) => boolean,
): Pick<DueLetter, "kind" | "number"> | undefined {
  const { announcements, confirmed, reminders } = told;
  // What somebody was told who had the phone before is nothing that its owner knows of.
  const open = announcements.filter((each) => isToOwner(each) && !confirmed.includes(each.number));
  if (own.some(isHeldAgainst)) {
    if (open.length === 0) {
      const number = Math.max(-1, ...announcements.map((each) => each.number)) + 1;
      return number < ANNOUNCEMENTS_LIMIT ? { kind: "announcement", number } : undefined;
    }
    return remindersDue > reminders ? { kind: "reminder", number: remindersDue } : undefined;
  }
  // A phone that fulfils everything now, and did not when its owner was told. An excuse is no fulfilment.
  const isClean = own.length > 0 && own.every(({ reason, state }) => reason !== "exempted" && state === "compliant");
  const number = Math.max(-1, ...open.filter(({ isDelivered }) => isDelivered).map((each) => each.number));
  return isClean && number >= 0 ? { kind: "confirmation", number } : undefined;
}

/** How a record names whose phone it is. */
export function ownerNameOf({ owner, email }: DeviceRecord): string | undefined {
  return owner ?? email;
}

/** One mailbox is one reader, and so is one person whose address changes. */
function isTheirs({ to, person }: Addressee, record: DeviceRecord, { homeDomains }: Policy): boolean {
  const owner = ownerNameOf(record);
  if (to === record.email || person === owner) return true;
  const [before, now] = [parsePerson(person), parsePerson(owner ?? "")];
  return before !== undefined && now !== undefined && samePerson(atHome(before, homeDomains), atHome(now, homeDomains));
}

function isHeldAgainst({ action }: Ruling): boolean {
  return action !== "allow";
}
