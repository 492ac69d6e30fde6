/** An audit trail with a journal of its own, over any store. */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { createAudit } from "../../src/audit/audit.ts";
import type { Audit } from "../../src/audit/audit.ts";
import { createChain } from "../../src/audit/chain.ts";
import type { EntryDraft } from "../../src/audit/entry.ts";
import { auditOldestFirst } from "../../src/audit/listing.ts";
import { openJournal } from "../../src/audit/journal.ts";
import type { Journal } from "../../src/audit/journal.ts";
import { verifyAudit } from "../../src/audit/verify.ts";
import type { Verified } from "../../src/audit/verify.ts";
import type { AuditStore } from "../../src/store/audit-log.ts";

export const chain = createChain(new Uint8Array(32).fill(7));

export function aFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-audit-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Machine {
  readonly audit: Audit;
  readonly journal: Journal;
  readonly folder: string;
  readonly verify: () => Promise<Verified>;
  /** What is wrong, in words without the writer. */
  readonly breaks: () => Promise<readonly string[]>;
}

export function aMachine(
  t: TestContext,
  store: AuditStore,
  options: { folder?: string; now?: () => Date } = {},
): Machine {
  const { folder = aFolder(t), now = () => new Date() } = options;
  const journal = openJournal(folder);
  t.after(() => journal.close());
  const verify = (): Promise<Verified> => verifyAudit({ store, journal, chain });
  return {
    audit: createAudit({ store, journal, chain, now, address: "root@test" }),
    journal,
    folder,
    verify,
    breaks: async () =>
      (await verify()).breaks.map(({ where, sequence, problem }) =>
        `${where} ${sequence ?? "-"} ${problem}`.replaceAll(/[0-9a-f]{16}/g, "W"),
      ),
  };
}

export const anAct = (words: string): EntryDraft => ({
  kind: "policy",
  act: "retract",
  actor: "bob",
  why: words,
  about: ["tiktok"],
});

/** The reasons of all entries, in the order of the store. */
export async function reasonsIn(store: Pick<AuditStore, "auditAfter">): Promise<string[]> {
  const found: string[] = [];
  for await (const { entry } of auditOldestFirst(store, chain, {})) found.push(entry.why);
  return found;
}
