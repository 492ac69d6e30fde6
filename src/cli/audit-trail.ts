/** How commands write into the audit trail: from which machine, and into which journal. */
import { hostname, userInfo } from "node:os";
import { hkdfSync } from "node:crypto";
import { createAudit } from "../audit/audit.ts";
import type { Audit } from "../audit/audit.ts";
import { createChain } from "../audit/chain.ts";
import type { Chain } from "../audit/chain.ts";
import { JournalUnavailable, openJournal } from "../audit/journal.ts";
import type { Journal } from "../audit/journal.ts";
import type { Config } from "../config/config.ts";
import type { Store } from "../store/store.ts";
import { requireSecret } from "./configuration.ts";
import { CommandFailed } from "./exit.ts";
import { warn } from "./terminal.ts";

export interface AuditTrail {
  readonly audit: Audit;
  readonly chain: Chain;
  readonly journal: Journal;
}

const DAY_MS = 86_400_000;

/** @throws CommandFailed with exit code 3 where the journal or the secret cannot be used: then nothing was done. */
export async function withAudit<T>(config: Config, store: Store, work: (trail: AuditTrail) => Promise<T>): Promise<T> {
  try {
    const chain = auditChain(config);
    const journal = openJournal(config.audit.journal);
    try {
      const audit = createAudit({ store, journal, chain, now: () => new Date(), address: whereFrom() });
      const result = await work({ audit, chain, journal });
      journal.trim(new Date(Date.now() - config.audit.keepDays * DAY_MS));
      return result;
    } finally {
      journal.close();
    }
  } catch (error) {
    if (error instanceof JournalUnavailable)
      throw new CommandFailed(
        3,
        `${error.message}. Every act is noted there first; where it cannot be mended now, name another folder: POSTERN_AUDIT_JOURNAL=/tmp/audit`,
      );
    throw error;
  }
}

/** The same key on every node and machine that has the installation's secret. */
export function auditChain(config: Config): Chain {
  const { secret, created } = requireSecret(config);
  if (created) warn(`made a new installation secret in ${config.secret.file}; every node needs the same file`);
  return createChain(new Uint8Array(hkdfSync("sha256", secret, "", "postern audit", 32)));
}

/** Who is logged in where, and from which address, as far as that can be known. */
function whereFrom(): string {
  const here = `${userInfo().username}@${hostname()}`;
  const [client = ""] = (process.env["SSH_CONNECTION"] ?? "").split(" ");
  return client === "" ? here : `${here} from ${client}`;
}
