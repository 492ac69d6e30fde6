/**
 * The policy that is in force on this node: that of the configuration file, or the newest version in the store. Nobody is
 * judged before it is known, and a version that cannot be read leaves the one before in force, loudly. So does a store that has
 * lost the newest: an order that was given is not undone by an accident.
 */
import { createHash } from "node:crypto";
import { formatFault } from "../config/fault.ts";
import { readWrittenPolicy } from "../config/policy-document.ts";
import type { Policy } from "../policy/campaign.ts";
import { PolicyUnreadable } from "../store/store.ts";
import type { PolicyVersion, Store, StoreChange } from "../store/store.ts";

export interface PolicyInForce {
  readonly policy: Policy;
  /** Undefined: the configuration file, or a store in which none was ever written. */
  readonly version: number | undefined;
  /** The run of each campaign, as the version says. */
  readonly runs: PolicyVersion["runs"];
}

export type LivePolicyEvent =
  | { readonly kind: "in-force"; readonly version: number | undefined }
  /** A version was written that this program cannot read; what was in force before stays so. */
  | { readonly kind: "unreadable"; readonly version: number; readonly problem: string }
  /** The store has a policy too, and it does not count. */
  | { readonly kind: "ignored"; readonly version: number }
  /** The store has an older version than the one in force here, or none; what is in force stays so. */
  | { readonly kind: "lost"; readonly version: number; readonly found: number | undefined }
  /** Another version of the same number came into force: the store had forgotten the first. */
  | { readonly kind: "replaced"; readonly version: number }
  /** Nobody has been able to ask for the policy for long; what is in force may be out of date. */
  | { readonly kind: "unanswered"; readonly detail: string }
  | { readonly kind: "answered" };

export interface LivePolicy {
  /** Undefined until the store has told it. */
  current(): PolicyInForce | undefined;
  /** What an operator must know: the policy in force here may not be what it should be. Undefined where all is well. */
  problem(): string | undefined;
  /** Called after another version has come into force here. */
  onChange(listener: () => void): () => void;
  close(): void;
}

export interface LivePolicyOptions {
  readonly store: Pick<Store, "readPolicy" | "onChange" | "health">;
  /** What the configuration file says. Its campaigns and exemptions count only where it has any; then the store's do not. */
  readonly configured: Policy;
  readonly report: (event: LivePolicyEvent) => void;
  readonly now?: () => Date;
  readonly times?: Partial<typeof ordinaryTimes>;
}

const ordinaryTimes = {
  /** How often the store is asked while it does not tell changes, or did not answer. */
  askAgainMs: 1_000,
  /** How often it is asked though all is well: whatever goes wrong with the telling of changes, it costs no longer. */
  askAnywayMs: 30_000,
  /** A restart of the store is shorter. */
  unansweredMs: 10_000,
};

/** Whether the policy stands in the configuration file; commands that would change it in the store are then refused. */
export function isInFile({ campaigns, exemptions }: Policy): boolean {
  return campaigns.length > 0 || exemptions.length > 0;
}

/** Which version of the store is in force here. */
interface Held {
  readonly version: number;
  readonly digest: string;
  /** When it was written; never later than when it came into force here, whatever the clock of its author said. */
  readonly at: Date;
}

/** Resolves when the policy is known, or when the store did not answer once. */
export async function openLivePolicy(options: LivePolicyOptions): Promise<LivePolicy> {
  const { store, configured, report, now = () => new Date() } = options;
  const { askAgainMs, askAnywayMs, unansweredMs } = { ...ordinaryTimes, ...options.times };
  const listeners = new Set<() => void>();
  const fromFile = isInFile(configured);
  let inForce: PolicyInForce | undefined = fromFile ? { policy: configured, version: undefined, runs: {} } : undefined;
  let held: Held | undefined;
  /** What was found last and is not in force, by what was said of it: it is said once. */
  let refused = "";
  let problem: string | undefined;
  let answeredAt = performance.now();
  let isFailing = false;
  let isUnanswered = false;
  let asking: Promise<void> | undefined;
  let askAgain = false;
  let isClosed = false;

  /** One question at a time; a change that comes meanwhile asks once more. */
  function refresh(): Promise<void> {
    if (asking !== undefined) {
      askAgain = true;
      return asking;
    }
    asking = ask().finally(() => {
      asking = undefined;
      if (!askAgain) return;
      askAgain = false;
      void refresh();
    });
    return asking;
  }

  async function ask(): Promise<void> {
    try {
      const stored = await store.readPolicy();
      if (isClosed) return;
      answered();
      if (fromFile) ignore(stored);
      else consider(stored);
    } catch (error) {
      if (isClosed) return;
      if (!(error instanceof PolicyUnreadable)) return failed(error);
      answered();
      if (!fromFile) refuse({ kind: "unreadable", version: error.version, problem: `it ${error.problem}` });
    }
  }

  function answered(): void {
    answeredAt = performance.now();
    isFailing = false;
    if (!isUnanswered) return;
    isUnanswered = false;
    report({ kind: "answered" });
  }

  /** The timer asks again, whatever the store says of its health: this question is what has failed. */
  function failed(error: unknown): void {
    isFailing = true;
    if (isUnanswered || fromFile || performance.now() - answeredAt < unansweredMs) return;
    isUnanswered = true;
    report({ kind: "unanswered", detail: error instanceof Error ? error.message : "unknown" });
  }

  function ignore(stored: PolicyVersion | undefined): void {
    const version = stored !== undefined && stored.campaigns.length + stored.exemptions.length > 0 ? stored.version : 0;
    if (version > 0 && refused !== String(version)) report({ kind: "ignored", version });
    refused = String(version);
  }

  function consider(stored: PolicyVersion | undefined): void {
    const digest = stored === undefined ? "" : digestOf(stored);
    if (inForce !== undefined && digest === (held?.digest ?? "")) return accept();
    if (held !== undefined && (stored === undefined || isLost(stored, held)))
      return refuse({ kind: "lost", version: held.version, found: stored?.version });
    if (stored === undefined) return settle({ policy: configured, version: undefined, runs: {} });
    const read = readWrittenPolicy(stored, configured.stances);
    if (!read.ok) {
      const faults = read.faults.map(formatFault).join("; ");
      return refuse({ kind: "unreadable", version: stored.version, problem: faults });
    }
    if (stored.version === held?.version) report({ kind: "replaced", version: stored.version });
    const at = new Date(Math.min(stored.at.getTime(), now().getTime()));
    held = { version: stored.version, digest, at };
    settle({ policy: { ...configured, ...read.policy }, version: stored.version, runs: stored.runs });
  }

  function refuse(event: Extract<LivePolicyEvent, { readonly kind: "unreadable" | "lost" }>): void {
    problem = textOf(event);
    if (refused === problem) return;
    refused = problem;
    report(event);
  }

  function accept(): void {
    problem = undefined;
    refused = "";
  }

  function settle(next: PolicyInForce): void {
    accept();
    inForce = next;
    report({ kind: "in-force", version: next.version });
    for (const listener of listeners) listener();
  }

  const unsubscribe = store.onChange((change: StoreChange) => {
    if (change.kind === "policy" || change.kind === "everything") void refresh();
  });
  const timer = setInterval(() => {
    const isOverdue = performance.now() - answeredAt >= askAnywayMs;
    if (inForce === undefined || isFailing || isOverdue || store.health().state !== "live") void refresh();
  }, askAgainMs).unref();
  await refresh();

  return {
    current: () => inForce,
    problem: () => problem ?? (isUnanswered ? "the policy in the store could not be read for long" : undefined),
    onChange(listener): () => void {
      const own = (): void => listener();
      listeners.add(own);
      return () => listeners.delete(own);
    },
    close(): void {
      isClosed = true;
      clearInterval(timer);
      unsubscribe();
    },
  };
}

/**
 * A lower number is what is left of a store that was restored, emptied or taken over. Where it was written later than what is
 * in force here it is an operator's answer to that, and counts.
 */
function isLost(stored: PolicyVersion, held: Held): boolean {
  return stored.version < held.version && stored.at <= held.at;
}

function digestOf(version: PolicyVersion): string {
  return createHash("sha256").update(JSON.stringify(version)).digest("base64");
}

function textOf(event: Extract<LivePolicyEvent, { readonly kind: "unreadable" | "lost" }>): string {
  switch (event.kind) {
    case "unreadable":
      return `version ${event.version} of the policy cannot be read: ${event.problem}`;
    case "lost":
      return `the store has lost version ${event.version} of the policy, which is in force here; it has ${event.found ?? "none"}`;
  }
}
