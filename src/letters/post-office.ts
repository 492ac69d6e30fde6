/**
 * When letters go out: as soon as the policy changes, at every moment at which one becomes due, and now and then for phones
 * that were reported since. One node does it at a time; what two would do is the same letter, which is claimed once.
 */
import { randomUUID } from "node:crypto";
import type { LivePolicy, PolicyInForce } from "../campaign/live-policy.ts";
import type { Policy } from "../policy/campaign.ts";
import { remindersOf } from "../policy/phase.ts";
import { instantOf } from "../policy/moment.ts";
import { StoreUnavailable } from "../store/store.ts";
import type { LetterStore, Store } from "../store/store.ts";
import type { Courier } from "./courier.ts";
import { createRoundMemory, sendRound } from "./round.ts";
import type { Compose, LetterProblem, RoundResult } from "./round.ts";

export interface PostOfficeOptions {
  readonly store: Pick<Store, "records" | "facts"> & LetterStore;
  readonly livePolicy: Pick<LivePolicy, "current" | "onChange">;
  readonly courier: Courier;
  readonly compose: Compose;
  readonly now: () => Date;
  readonly report: (event: PostOfficeEvent) => void;
}

export type PostOfficeEvent =
  | { readonly kind: "round"; readonly result: RoundResult; readonly durationMs: number }
  | { readonly kind: "problem"; readonly problem: LetterProblem }
  | { readonly kind: "mail-server-away"; readonly detail: string }
  | { readonly kind: "failed"; readonly cause: unknown };

export interface PostOffice {
  close(): Promise<void>;
}

const LEASE = "letters";
/** A node that dies is followed by another after this. */
const LEASE_MS = 30_000;
const LOOK_MS = 5_000;
/** For phones that were reported, or came back into order, since the last round. */
const EVERY_MS = 300_000;

export function openPostOffice(options: PostOfficeOptions): PostOffice {
  const { store, livePolicy, courier, now, report } = options;
  const holder = randomUUID();
  let isClosed = false;
  let isAsked = true;
  let lastRoundAt: number | undefined;
  let leasedUntil = 0;
  let working: Promise<void> | undefined;
  const memory = createRoundMemory();

  const unsubscribe = livePolicy.onChange(() => {
    isAsked = true;
    look();
  });
  const timer = setInterval(look, LOOK_MS).unref();
  look();

  function look(): void {
    if (isClosed || working !== undefined) return;
    working = work().finally(() => (working = undefined));
  }

  async function work(): Promise<void> {
    const wasAsked = isAsked;
    try {
      const inForce = livePolicy.current();
      if (inForce === undefined || !isDue(inForce.policy) || !(await renew())) return;
      // From here on a change asks for another round: this one has the policy that it has.
      isAsked = false;
      if (await isDone(inForce)) return;
      isAsked = true;
    } catch (cause) {
      isAsked ||= wasAsked;
      // Away is what the store itself reports; the next look finds it back.
      if (!(cause instanceof StoreUnavailable)) report({ kind: "failed", cause });
    }
  }

  /** False where the mail server is away. */
  async function isDone({ policy, runs }: PolicyInForce): Promise<boolean> {
    const problem = await courier.check();
    if (problem !== undefined) {
      report({ kind: "mail-server-away", detail: problem });
      return false;
    }
    const startedAt = performance.now();
    const roundAt = now().getTime();
    const renewing = setInterval(() => void renew().catch(() => {}), LEASE_MS / 3);
    try {
      const result = await sendRound({
        ...options,
        policy,
        runs,
        memory,
        mayGoOn: () => !isClosed && !isAsked && performance.now() < leasedUntil,
        onProblem: (each) => report({ kind: "problem", problem: each }),
      });
      lastRoundAt = roundAt;
      report({ kind: "round", result, durationMs: performance.now() - startedAt });
      return true;
    } finally {
      clearInterval(renewing);
    }
  }

  async function renew(): Promise<boolean> {
    const asked = performance.now();
    const isOurs = await store.holdLease(LEASE, holder, LEASE_MS);
    leasedUntil = isOurs ? asked + LEASE_MS : 0;
    return isOurs;
  }

  function isDue(policy: Policy): boolean {
    const at = now().getTime();
    if (isAsked || lastRoundAt === undefined || at - lastRoundAt >= EVERY_MS || at < lastRoundAt) return true;
    const since = lastRoundAt;
    return momentsOf(policy).some((moment) => moment > since && moment <= at);
  }

  return {
    async close(): Promise<void> {
      isClosed = true;
      clearInterval(timer);
      unsubscribe();
      await working;
      courier.close();
    },
  };
}

/** When letters become due for whole waves. On the owner's own clock each zone has its own; those are found every few minutes. */
function momentsOf({ campaigns }: Policy): readonly number[] {
  return campaigns.flatMap((campaign) =>
    campaign.waves.flatMap(({ announce, deadline }) => {
      const end = deadline === undefined ? undefined : instantOf(deadline, undefined);
      const start = announce === undefined ? [] : [instantOf(announce, undefined)];
      return [...start, ...remindersOf(campaign, end)].map((moment) => moment.getTime());
    }),
  );
}
