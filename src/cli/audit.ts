/** `postern audit`: who did what, what became of which phone, and whether all of it is still there. */
import { auditJson, auditNewestFirst, auditOldestFirst } from "../audit/listing.ts";
import type { AuditFilter } from "../audit/listing.ts";
import type { Line } from "../audit/chain.ts";
import { JournalUnavailable, openJournal } from "../audit/journal.ts";
import type { Journal } from "../audit/journal.ts";
import { verifyAudit } from "../audit/verify.ts";
import type { Break, Verified } from "../audit/verify.ts";
import type { Config } from "../config/config.ts";
import { spellingsOf } from "../policy/device.ts";
import { readTime } from "../store/field-values.ts";
import type { Store } from "../store/store.ts";
import { auditChain } from "./audit-trail.ts";
import { requireConfig } from "./configuration.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { csvRow } from "./csv.ts";
import { requireId } from "./device.ts";
import { CommandFailed } from "./exit.ts";
import { withStore } from "./store.ts";
import { jsonText, momentText, print, printable, table, toned, warn } from "./terminal.ts";

export interface AuditOptions extends ConfigurationOptions {
  readonly device?: string | undefined;
  readonly campaign?: string | undefined;
  readonly actor?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly json?: boolean | undefined;
}

export async function auditList(options: AuditOptions & { readonly limit: number }): Promise<void> {
  const filter = filterOf(options);
  await withTrail(options, async ({ store, config }) => {
    const lines: Line[] = [];
    for await (const line of auditNewestFirst(store, auditChain(config), filter)) {
      if (lines.length >= options.limit) break;
      lines.push(line);
    }
    if (options.json === true) {
      for (const line of lines) print(jsonText(auditJson(line)));
      return;
    }
    if (lines.length === 0) return print("nothing of that kind is in the audit trail");
    print(table([["when", "what", "who", "about", "change", "why"].map(strong), ...lines.map(rowOf)]));
    if (lines.length === options.limit) warn(toned("quiet", `the newest ${options.limit}; --limit shows more`));
  });
}

export const exportFormats = ["ndjson", "csv"] as const;

const columns = [
  "at",
  "kind",
  "act",
  "outcome",
  "actor",
  "address",
  "device",
  "about",
  "version",
  "why",
  "before",
  "after",
  "writer",
  "sequence",
  "seal",
] as const;

export async function auditExport(
  options: AuditOptions & { readonly format: (typeof exportFormats)[number] },
): Promise<void> {
  const filter = filterOf(options);
  await withTrail(options, async ({ store, config }) => {
    const isCsv = options.format === "csv";
    if (isCsv) await write(csvRow(columns));
    for await (const line of auditOldestFirst(store, auditChain(config), filter))
      await write(isCsv ? csvRow(cellsOf(line)) : `${jsonText(auditJson(line))}\n`);
  });
}

/** A trail is larger than what standard output takes at once. */
async function write(text: string): Promise<void> {
  if (process.stdout.write(text)) return;
  await new Promise((resolve) => process.stdout.once("drain", resolve));
}

function cellsOf(line: Line): readonly string[] {
  const values = new Map(Object.entries(auditJson(line)));
  return columns.map((column) => {
    const value = values.get(column) ?? "";
    if (typeof value === "string") return value;
    if (Array.isArray(value)) return value.join(" ");
    const text = JSON.stringify(value);
    return text === "{}" ? "" : text;
  });
}

/** @throws CommandFailed with exit code 1 where a chain breaks, after everything was said on standard output. */
export async function auditVerify(options: ConfigurationOptions & { readonly json?: boolean }): Promise<void> {
  await withTrail(options, async ({ store, config }) => {
    const chain = auditChain(config);
    const journal = requireJournal(config);
    try {
      let verified = await verifyAudit({ store, journal, chain });
      // A gate may have removed old entries while they were read.
      if (verified.breaks.length > 0) verified = await verifyAudit({ store, journal, chain });
      if (options.json === true) print(jsonText(verified));
      else sayVerified(verified, config.audit.journal);
      const broken = verified.breaks.length + verified.moreBreaks;
      if (broken > 0)
        throw new CommandFailed(1, `the audit trail is broken in ${broken === 1 ? "one place" : `${broken} places`}`);
    } finally {
      journal.close();
    }
  });
}

function sayVerified(
  { breaks, moreBreaks, storeEntries, journalEntries, writers, waiting }: Verified,
  folder: string,
): void {
  for (const each of breaks) print(toned("bad", breakText(each)));
  if (moreBreaks > 0) print(toned("bad", `… and ${moreBreaks} more`));
  if (waiting > 0)
    print(
      toned(
        "warning",
        `${waiting} of the journal are not in the store yet: the next act on this machine puts them there`,
      ),
    );
  if (breaks.length === 0)
    print(`ok: ${storeEntries} in the store, of ${writers} writers; ${journalEntries} in the journal ${folder}`);
}

function breakText({ where, writer, sequence, place, problem }: Break): string {
  const what = [
    sequence === undefined ? undefined : `entry ${sequence}`,
    writer === undefined ? undefined : `of ${writer}`,
  ];
  const named = what.filter((each) => each !== undefined).join(" ");
  return `${where}${place === undefined ? "" : ` at ${place}`}: ${named}${named === "" ? "" : " "}${problem}`;
}

function requireJournal({ audit }: Config): Journal {
  try {
    return openJournal(audit.journal);
  } catch (error) {
    if (error instanceof JournalUnavailable) throw new CommandFailed(3, error.message);
    throw error;
  }
}

async function withTrail(
  options: ConfigurationOptions,
  work: (trail: { readonly store: Store; readonly config: Config }) => Promise<void>,
): Promise<void> {
  const config = requireConfig(options);
  await withStore(config, (store) => work({ store, config }));
}

function filterOf({ device, campaign, actor, since, until }: AuditOptions): AuditFilter {
  return {
    devices: device === undefined ? undefined : spellingsOf(requireId(device)),
    about: campaign,
    actor,
    since: momentOf("--since", since),
    until: momentOf("--until", until),
  };
}

function momentOf(option: string, written: string | undefined): Date | undefined {
  if (written === undefined) return undefined;
  const moment = readTime(written);
  if (!moment.ok) throw new CommandFailed(2, `${option} must be a time: 2026-12-01 or 2026-12-01T18:00Z`);
  return moment.value;
}

/** So much of a value fits beside the others. */
const VALUE_SHOWN_LIMIT = 40;

function rowOf({ entry }: Line): string[] {
  const { at, kind, act, outcome, actor, device, about, why } = entry;
  const what = [kind, kind === "verdict" ? "" : act, outcome === "unknown" ? "(how it ended is not known)" : ""];
  return [
    momentText(at),
    what.filter((word) => word !== "").join(" "),
    printable(actor),
    printable([...(device === undefined ? [] : [device]), ...about].join(" ")),
    changeText(entry),
    printable(why),
  ];
}

function changeText({ kind, before, after, version }: Line["entry"]): string {
  if (kind === "verdict") return `${before["verdict"] ?? "?"} → ${after["verdict"] ?? "?"}`;
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const made = version === undefined ? [] : [`version ${version}`];
  if (kind === "policy") return printable([...made, ...names].join(", "));
  const changes = names.map((name) => {
    const [old, young] = [before[name], after[name]].map((value) => (value === undefined ? undefined : short(value)));
    if (old === undefined) return `${name}=${young ?? ""}`;
    return young === undefined ? `${name} removed` : `${name}=${old} → ${young}`;
  });
  return printable([...made, ...changes].join("  "));
}

function short(value: string): string {
  return value.length > VALUE_SHOWN_LIMIT ? `${value.slice(0, VALUE_SHOWN_LIMIT)}…` : value;
}

function strong(text: string): string {
  return toned("strong", text);
}
