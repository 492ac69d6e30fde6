/** What is true of one phone at this moment, as the page about it has to know it. */
import { createHash } from "node:crypto";
import type { Recheck, Rechecks } from "../inventory/recheck.ts";
import type { Letters } from "../notice/writer.ts";
import type { Policy } from "../policy/campaign.ts";
import type { DeviceId, DeviceRecord } from "../policy/device.ts";
import { judge } from "../policy/judge.ts";
import type { Facts } from "../policy/judge.ts";
import { accountKey, parsePerson } from "../policy/person.ts";
import type { Person } from "../policy/person.ts";
import type { Verdict } from "../policy/verdict.ts";
import { StoreUnavailable } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import type { Link } from "./links.ts";
import { standingOf } from "./standing.ts";
import type { Standing } from "./standing.ts";

export interface LookOptions {
  readonly store: Pick<Store, "facts">;
  /** Undefined while nobody knows it yet: then nobody is judged by it. */
  readonly policy: () => Policy | undefined;
  readonly homeDomains: readonly string[];
  readonly rechecks: Pick<Rechecks, "read">;
  /** What the gate decided about the device before, for this account. */
  readonly lastKnown: (device: DeviceId, account: string) => Facts["lastKnown"];
  readonly now: () => Date;
}

export interface Look {
  /** Canonical. */
  readonly id: DeviceId;
  readonly record: DeviceRecord | undefined;
  readonly verdict: Verdict;
  readonly policy: Policy;
  readonly standing: Standing;
  readonly at: Date;
  /** Of all that a page about it says, but for the time of day. */
  readonly mark: string;
}

/** @throws StoreUnavailable */
export type LookAt = (link: Link) => Promise<Look>;

export function createLook({ store, policy, homeDomains, rechecks, lastKnown, now }: LookOptions): LookAt {
  return async function look(link: Link): Promise<Look> {
    const { id, record } = await store.facts([link.device], undefined);
    const inForce = policy();
    if (inForce === undefined) throw new StoreUnavailable(new Error("the policy is not known yet"));
    const person = personOf(link, record, inForce);
    const at = now();
    const known = person && lastKnown(id, accountKey(person, homeDomains));
    const verdict = judge({ record, person, lastKnown: known }, inForce, at);
    // What becomes of somebody else's phone is nobody's business.
    const isOthers = verdict.demands.some(({ kind }) => kind === "owner-mismatch");
    const recheck = isOthers ? undefined : await rechecks.read(id);
    const standing = standingOf(verdict, recheck, at);
    return { id, record, verdict, policy: inForce, standing, at, mark: markOf(verdict, standing, recheck) };
  };

  /**
   * The link has nobody's name in it. Whoever it was given to is one of those for whom it makes a difference who asks: the owner of the
   * phone, or somebody who is excused.
   */
  function personOf(link: Link, record: DeviceRecord | undefined, { exemptions }: Policy): Person | undefined {
    const names = [record?.owner, record?.email, ...exemptions.flatMap(({ who }) => who.owners)];
    for (const name of names) {
      const person = name === undefined ? undefined : parsePerson(name);
      if (person !== undefined && link.isFor(accountKey(person, homeDomains))) return person;
    }
    return undefined;
  }
}

function markOf(
  { action, demands }: Verdict,
  { stage, end, mayAskFrom }: Standing,
  recheck: Recheck | undefined,
): string {
  const seen = [stage, end, mayAskFrom !== undefined, recheck?.number, recheck?.steps, action, demands];
  return createHash("sha256").update(JSON.stringify(seen)).digest("base64url").slice(0, 12);
}

/** Held because nobody has ever said whose it is. */
export function isUnknown({ record, verdict }: Look): boolean {
  return record === undefined && verdict.demands.some(({ kind }) => kind === "not-enrolled");
}

/** A phone against which nothing is held any more, without a report that anybody had to wait for: its mail is awaited from now on. */
export async function noteClear(
  rechecks: Pick<Rechecks, "read" | "advance">,
  { id, verdict, at }: Look,
): Promise<void> {
  const recheck = verdict.action === "allow" && verdict.demands.length === 0 ? await rechecks.read(id) : undefined;
  if (recheck !== undefined) await rechecks.advance(id, recheck.number, { step: "clear", at });
}

/** A page about it, as far as it has the words of the notice in it. */
export function letterOf(
  { id, record, verdict, policy }: Look,
  letters: Letters,
  language: Parameters<Letters["compose"]>[1],
): ReturnType<Letters["compose"]> {
  const phase = verdict.action === "allow" ? "warned" : "held";
  return letters.compose(
    {
      phase,
      findings: verdict.demands,
      device: record,
      deviceId: id,
      timezone: record?.timezone,
      campaigns: policy.campaigns,
    },
    language,
  );
}
