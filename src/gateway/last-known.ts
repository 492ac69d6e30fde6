/** What was decided before, for the time when the store is away. An allow ages out; a quarantine or block does not. */
import type { DeviceId } from "../policy/device.ts";
import type { Verdict } from "../policy/verdict.ts";
import type { MailboxState } from "../store/store.ts";

export interface Known {
  readonly action: "allow" | "quarantine" | "block";
  readonly state: Verdict["state"];
  readonly findings: Verdict["findings"];
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Kept only where an answer depends on it: for a phone in quarantine, or on its way out. */
  readonly mailbox: MailboxState | undefined;
}

export interface LastKnown {
  remember(id: DeviceId, account: string, verdict: Verdict, mailbox: MailboxState): void;
  recall(id: DeviceId, account: string): Known | undefined;
  size(): number;
}

export interface LastKnownOptions {
  readonly allowHours: number;
  /** Entries beyond it push out the ones that were used longest ago. */
  readonly limit: number;
  readonly now: () => number;
}

/** Within it an allow that repeats itself is not written down again. */
const refreshMs = 60_000;

export function createLastKnown({ allowHours, limit, now }: LastKnownOptions): LastKnown {
  const entries = new Map<string, Known>();
  const allowMs = allowHours * 3_600_000;

  function remember(id: DeviceId, account: string, verdict: Verdict, mailbox: MailboxState): void {
    // A stranger is not known: anybody can invent ids, and would push out the devices that are.
    if (verdict.action === "defer" || verdict.reason === "not-enrolled") return;
    // What was itself remembered would never age.
    if (verdict.reason === "record-unreadable") return;
    const key = `${id} ${account}`;
    const keep = verdict.action !== "allow" || mailbox.issued.size > 0;
    const before = entries.get(key);
    const at = now();
    if (!keep && before?.action === "allow" && before.mailbox === undefined && at - before.at < refreshMs) return;
    entries.delete(key);
    entries.set(key, {
      action: verdict.action,
      state: verdict.state,
      findings: verdict.findings,
      at,
      mailbox: keep ? mailbox : undefined,
    });
    if (entries.size > limit) {
      const [oldest] = entries.keys();
      if (oldest !== undefined) entries.delete(oldest);
    }
  }

  return {
    remember,
    recall(id, account): Known | undefined {
      const known = entries.get(`${id} ${account}`);
      return known?.action === "allow" && now() - known.at > allowMs ? undefined : known;
    },
    size: () => entries.size,
  };
}
