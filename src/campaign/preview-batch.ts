/** Looking at some of the phones of a preview, in whichever thread, and what of it counts for the whole. */
import type { Policy } from "../policy/campaign.ts";
import type { DeviceId, DeviceRecord } from "../policy/device.ts";
import { asksWhenSeen } from "../policy/phase.ts";
import { accountKey, parsePerson } from "../policy/person.ts";
import type { Person } from "../policy/person.ts";
import { createTally } from "./campaign-tally.ts";
import type { TallyPart } from "./campaign-tally.ts";
import { createOutcomes } from "./outcome.ts";
import type { PolicyStep } from "./outcome.ts";
import type { PreviewedPhone } from "./preview-result.ts";
import { receivePolicy, sendPolicy } from "./sent-policy.ts";
import type { SentPolicy } from "./sent-policy.ts";

export interface PreviewQuestion extends PolicyStep {
  readonly now: Date;
  /** Names of people and of groups. */
  readonly important?: readonly string[] | undefined;
}

/** The same for another thread. */
export interface SentQuestion extends Omit<PreviewQuestion, "before" | "after"> {
  readonly before: SentPolicy;
  readonly after: SentPolicy;
}

export function sendQuestion({ before, after, about, now, important }: PreviewQuestion): SentQuestion {
  return { before: sendPolicy(before), after: sendPolicy(after), about, now, important };
}

export function receiveQuestion(sent: SentQuestion): PreviewQuestion {
  return { ...sent, before: receivePolicy(sent.before), after: receivePolicy(sent.after) };
}

/** One phone, once for each campaign that concerns it. */
export type LookAtPhone = (phone: {
  readonly id: DeviceId;
  readonly record: DeviceRecord | undefined;
  readonly person: Person | undefined;
  readonly isActive: boolean;
}) => readonly PreviewedPhone[];

export function createLook(question: PreviewQuestion): LookAtPhone {
  const outcomesOf = createOutcomes(question, question.now);
  const isImportant = importantAmong(question.important ?? [], question.after.homeDomains);
  return (phone) => {
    const { record, person } = phone;
    const outcomes = outcomesOf(record, person);
    if (outcomes.length === 0) return [];
    const important = record !== undefined && isImportant(record, person);
    const { id, isActive } = phone;
    return outcomes.map((outcome) => ({ id, record, person, outcome, isActive, isImportant: important }));
  };
}

/** Without a credential at hand, a record is judged as its owner's. */
export function ownerOf({ owner, email }: DeviceRecord): Person | undefined {
  const name = owner ?? email;
  return name === undefined ? undefined : parsePerson(name);
}

export interface PreviewBatch {
  readonly ids: readonly DeviceId[];
  /** Those of them that were at a gate in the last hour, and are not counted yet. */
  readonly active: readonly DeviceId[];
}

export interface BatchFigures {
  readonly records: number;
  /** Of the active ones: those without a record. It was removed after the id was listed. */
  readonly gone: readonly DeviceId[];
  readonly parts: ReadonlyMap<string, TallyPart>;
}

/** Whether the records of a batch must say when their phones were seen first. */
export function firstSeenFor({
  before,
  after,
}: Pick<PreviewQuestion, "before" | "after">): "with-first-seen" | "without" {
  return asksWhenSeen(before) || asksWhenSeen(after) ? "with-first-seen" : "without";
}

/** @returns a function that adds up what is in the records of one batch. */
export function createBatchLook(
  question: PreviewQuestion,
): (batch: PreviewBatch, records: readonly DeviceRecord[]) => BatchFigures {
  const look = createLook(question);
  const examined = campaignsAbout(question);
  return ({ active }, records) => {
    const waiting = new Set(active);
    // The words of a batch are as many as its records bring, and choosing among them is for the whole.
    const tallies = new Map(examined.map((campaign) => [campaign.id, createTally(campaign, Infinity)]));
    for (const record of records) {
      const phones = look({ id: record.id, record, person: ownerOf(record), isActive: waiting.delete(record.id) });
      for (const phone of phones) tallies.get(phone.outcome.campaign)?.add(phone);
    }
    return {
      records: records.length,
      gone: [...waiting],
      parts: new Map([...tallies].map(([id, tally]) => [id, tally.part()])),
    };
  };
}

export function campaignsAbout({ after, about }: Pick<PolicyStep, "after" | "about">): Policy["campaigns"] {
  return after.campaigns.filter(({ id }) => about.includes(id));
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
