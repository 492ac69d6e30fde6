/**
 * The policy that is in force on this node: that of the configuration file, or the newest version in the store. Nobody is
 * judged before it is known, and a version that cannot be read leaves the one before in force, loudly.
 */
import { formatFault } from "../config/fault.ts";
import { readWrittenPolicy } from "../config/policy-document.ts";
import type { Policy } from "../policy/campaign.ts";
import type { Store, StoreChange } from "../store/store.ts";

export interface PolicyInForce {
  readonly policy: Policy;
  /** Undefined: the configuration file, or a store in which none was ever written. */
  readonly version: number | undefined;
}

export type LivePolicyEvent =
  | { readonly kind: "in-force"; readonly version: number | undefined }
  /** A version was written that this program cannot read; what was in force before stays so. */
  | { readonly kind: "unreadable"; readonly version: number; readonly problem: string }
  /** The store has a policy too, and it does not count. */
  | { readonly kind: "ignored"; readonly version: number };

export interface LivePolicy {
  /** Undefined until the store has told it. */
  current(): PolicyInForce | undefined;
  /** Called after another version has come into force here. */
  onChange(listener: () => void): () => void;
  close(): void;
}

export interface LivePolicyOptions {
  readonly store: Pick<Store, "readPolicy" | "onChange" | "health">;
  /** What the configuration file says. Its campaigns and exemptions count only where it has any; then the store's do not. */
  readonly configured: Policy;
  readonly report: (event: LivePolicyEvent) => void;
}

/** How often the store is asked while it does not tell changes, or did not answer. */
const ASK_AGAIN_MS = 1_000;

/** Whether the policy stands in the configuration file; commands that would change it in the store are then refused. */
export function isInFile({ campaigns, exemptions }: Policy): boolean {
  return campaigns.length > 0 || exemptions.length > 0;
}

/** Resolves when the policy is known, or when the store did not answer once. */
export async function openLivePolicy({ store, configured, report }: LivePolicyOptions): Promise<LivePolicy> {
  const listeners = new Set<() => void>();
  const fromFile = isInFile(configured);
  let inForce: PolicyInForce | undefined = fromFile ? { policy: configured, version: undefined } : undefined;
  let refused = 0;
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
    let stored: Awaited<ReturnType<typeof store.readPolicy>>;
    try {
      stored = await store.readPolicy();
    } catch {
      // The store has told that it is away; the timer asks again.
      return;
    }
    if (isClosed) return;
    if (fromFile) {
      const ignored = stored !== undefined && stored.campaigns.length + stored.exemptions.length > 0;
      if (ignored && refused !== stored?.version) report({ kind: "ignored", version: stored?.version ?? 0 });
      refused = stored?.version ?? 0;
      return;
    }
    if (stored === undefined) return settle({ policy: configured, version: undefined });
    if (stored.version === inForce?.version || stored.version === refused) return;
    const read = readWrittenPolicy(stored, configured.stances);
    if (read.ok) return settle({ policy: { ...configured, ...read.policy }, version: stored.version });
    refused = stored.version;
    report({ kind: "unreadable", version: stored.version, problem: read.faults.map(formatFault).join("; ") });
  }

  function settle(next: PolicyInForce): void {
    const isNews = inForce === undefined || inForce.version !== next.version;
    inForce = next;
    if (!isNews) return;
    report({ kind: "in-force", version: next.version });
    for (const listener of listeners) listener();
  }

  const unsubscribe = store.onChange((change: StoreChange) => {
    if (change.kind === "policy" || change.kind === "everything") void refresh();
  });
  const timer = setInterval(() => {
    if (inForce === undefined || store.health().state !== "live") void refresh();
  }, ASK_AGAIN_MS).unref();
  await refresh();

  return {
    current: () => inForce,
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
