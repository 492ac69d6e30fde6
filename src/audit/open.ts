/** The parts of the audit trail, put together: for a command, and for a gate. */
import type { Store } from "../store/store.ts";
import { createAudit } from "./audit.ts";
import type { Audit } from "./audit.ts";
import { createChain } from "./chain.ts";
import type { ReadLine } from "./chain.ts";
import { GATE_BUSY_TIMEOUT_MS, openJournal } from "./journal.ts";
import type { Journal } from "./journal.ts";
import { createKeeper } from "./keeper.ts";
import { createVerdictChanges } from "./verdict-changes.ts";
import type { VerdictChanges } from "./verdict-changes.ts";

export interface GateAuditOptions {
  readonly store: Store;
  /** Derived from the installation's secret, for this purpose only. */
  readonly key: Uint8Array;
  readonly journal: string;
  readonly keepDays: number;
  readonly onLine: (read: ReadLine) => void;
  /** The disk does not take a journal: entries are in the store only, and acts are refused here. */
  readonly onNoJournal: (cause: unknown) => void;
  readonly onFailure: (cause: unknown) => void;
  readonly now: () => Date;
}

export interface GateAudit {
  readonly audit: Audit;
  readonly verdictChanges: VerdictChanges;
  /** Before the store is closed. */
  stop(): Promise<void>;
}

export function openGateAudit(options: GateAuditOptions): GateAudit {
  const { store, key, keepDays, onLine, onFailure, now } = options;
  const chain = createChain(key);
  const journal = journalOrMemory(options);
  const audit = createAudit({ store, journal, chain, now });
  const verdictChanges = createVerdictChanges({ store, audit, onFailure });
  const keeper = createKeeper({ store, journal, chain, audit, keepDays, onLine, onFailure, now });
  return {
    audit,
    verdictChanges,
    async stop(): Promise<void> {
      await verdictChanges.stop();
      await keeper.stop();
      journal.close();
    },
  };
}

/** A gate without a disk of its own goes on serving mail. */
function journalOrMemory({ journal: folder, onNoJournal }: GateAuditOptions): Journal {
  try {
    return openJournal(folder, GATE_BUSY_TIMEOUT_MS);
  } catch (cause) {
    onNoJournal(cause);
    return openJournal(undefined);
  }
}
