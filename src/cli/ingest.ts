/** `postern ingest`: records from a file into the store, each line standing or falling by itself. */
import { createReadStream, statSync } from "node:fs";
import { appIdsOf } from "../policy/app-ids.ts";
import { isInFile } from "../campaign/live-policy.ts";
import { readWrittenPolicy } from "../config/policy-document.ts";
import type { Config } from "../config/config.ts";
import { fileProblem } from "../config/read-text.ts";
import { readLine, readRecord } from "../connectors/push/records.ts";
import type { PushedRecord } from "../connectors/push/records.ts";
import { createIntake } from "../inventory/intake.ts";
import type { Intake, InventoryReport } from "../inventory/report.ts";
import type { Store } from "../store/store.ts";
import { requireConfig } from "./configuration.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { readCsv } from "./csv-reader.ts";
import { createCsvRecords } from "./ingest-csv.ts";
import { CommandFailed } from "./exit.ts";
import { createProgress } from "./progress.ts";
import { withStore } from "./store.ts";
import { jsonText, print, printable, warn } from "./terminal.ts";

export interface IngestOptions extends ConfigurationOptions {
  readonly source: string;
  readonly map?: readonly string[] | undefined;
  readonly separator?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly json?: boolean | undefined;
}

interface Line {
  readonly line: number;
  readonly record: PushedRecord;
}

interface Tally {
  accepted: number;
  stale: number;
  rejected: number;
}

/** Characters of a line; no record is longer. */
const LINE_LIMIT = 1_048_576;
/** Records that are taken in at once. */
const BATCH = 400;

export async function ingest(file: string, options: IngestOptions): Promise<void> {
  const { source } = options;
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(source)) {
    throw new CommandFailed(2, "--source must be 1 to 64 lower-case letters, digits or hyphens");
  }
  const config = requireConfig(options);
  const sizeBytes = sizeOf(file);
  if (options.dryRun === true) return finish(await read(undefined), options);
  await withStore(config, async (store) => finish(await read(await intakeOf(config, store)), options));

  async function read(intake: Intake | undefined): Promise<Tally> {
    const tally: Tally = { accepted: 0, stale: 0, rejected: 0 };
    const progress = createProgress(process.stderr);
    let batch: { readonly line: number; readonly report: InventoryReport }[] = [];
    const bad = (line: number, problem: string): void => {
      tally.rejected += 1;
      progress.end();
      if (options.json === true) print(jsonText({ line, problem }));
      else warn(`line ${line}: ${printable(problem)}`);
    };
    const take = async (): Promise<void> => {
      const some = batch;
      batch = [];
      if (intake === undefined) {
        tally.accepted += some.length;
        return;
      }
      const results = await intake.takeAll(some.map(({ report }) => report));
      for (const [index, result] of results.entries()) {
        if (result.kind === "rejected") bad(some[index]?.line ?? 0, result.problem);
        else tally[result.kind] += 1;
      }
    };
    try {
      for await (const { line, record, share } of lines()) {
        if (record.kind === "bad") bad(line, record.problem);
        else if (record.kind === "signal")
          bad(line, "is a signal: a file says what is so, and not that something has changed");
        else batch.push({ line, report: record.report });
        if (batch.length >= BATCH) await take();
        progress.report(share, `${tally.accepted + tally.stale} records, ${tally.rejected} bad`);
      }
      await take();
    } catch (error) {
      // What was taken in stays so: the same file may be read again.
      if (error instanceof Error && "code" in error && "syscall" in error)
        throw new CommandFailed(3, `${file} ${fileProblem(error)}`);
      throw error;
    } finally {
      progress.end();
    }
    return tally;
  }

  async function* lines(): AsyncGenerator<Line & { readonly share: number }> {
    const stream = createReadStream(file, { encoding: "utf8", highWaterMark: 65_536 });
    const chunks = stream[Symbol.asyncIterator]();
    const text: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({ next: async () => textOf(await chunks.next()) }),
    };
    const share = (): number => (sizeBytes === 0 ? 1 : stream.bytesRead / sizeBytes);
    const each = /\.csv$/i.test(file) || options.separator !== undefined ? csvLines(text) : jsonLines(text, source);
    try {
      for await (const one of each) yield { ...one, share: share() };
    } finally {
      stream.destroy();
    }
  }

  async function* csvLines(text: AsyncIterable<string>): AsyncGenerator<Line> {
    const toRecord = createCsvRecords(options.map ?? []);
    let header: readonly string[] | undefined;
    for await (const { line, cells, problem } of readCsv(text, options.separator ?? ",")) {
      if (cells === undefined) {
        if (header === undefined)
          throw new CommandFailed(2, `${file}: the first line cannot be read: ${problem ?? ""}`);
        yield { line, record: { kind: "bad", problem: problem ?? "cannot be read" } };
      } else if (header === undefined) {
        header = cells;
        const wrong = toRecord.problemWith(header);
        if (wrong !== undefined) throw new CommandFailed(2, `${file}: ${wrong}`);
      } else if (cells.length !== header.length) {
        yield {
          line,
          record: { kind: "bad", problem: `has ${cells.length} cells, and the first line has ${header.length}` },
        };
      } else if (cells.some((cell) => cell.includes("\uFFFD"))) {
        yield { line, record: { kind: "bad", problem: "is not UTF-8" } };
      } else yield { line, record: readRecord(source, toRecord.record(header, cells)) };
    }
  }
}

function textOf(result: IteratorResult<unknown, unknown>): IteratorResult<string, undefined> {
  return result.done === true ? { done: true, value: undefined } : { done: false, value: String(result.value) };
}

async function* jsonLines(text: AsyncIterable<string>, source: string): AsyncGenerator<Line> {
  let rest = "";
  let line = 0;
  let isTooLong = false;
  const read = (written: string): Line | undefined => {
    line += 1;
    const wasTooLong = isTooLong;
    isTooLong = false;
    if (wasTooLong || written.length > LINE_LIMIT) {
      return { line, record: { kind: "bad", problem: `is longer than ${LINE_LIMIT} characters` } };
    }
    const bare = line === 1 ? written.replace(/^\uFEFF/, "") : written;
    if (bare.trim() === "") return undefined;
    // Bytes that are no UTF-8 would become other letters, and a device another one.
    if (bare.includes("\uFFFD")) return { line, record: { kind: "bad", problem: "is not UTF-8" } };
    return { line, record: readLine(source, bare) };
  };
  for await (const chunk of text) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const one = read(part);
      if (one !== undefined) yield one;
    }
    if (rest.length > LINE_LIMIT) {
      isTooLong = true;
      rest = "";
    }
  }
  const last = rest === "" && !isTooLong ? undefined : read(rest);
  if (last !== undefined) yield last;
}

function finish({ accepted, stale, rejected }: Tally, options: IngestOptions): void {
  if (options.json === true) print(jsonText({ accepted, stale, rejected, dryRun: options.dryRun === true }));
  else if (options.dryRun === true) print(`${accepted} can be read, ${rejected} cannot; nothing was written`);
  else print(`${accepted} accepted, ${stale} already known, ${rejected} rejected`);
  if (rejected > 0) process.exitCode = 1;
}

function sizeOf(file: string): number {
  try {
    const { size } = statSync(file);
    return size;
  } catch (error) {
    throw new CommandFailed(3, `${file} ${fileProblem(error)}`);
  }
}

async function intakeOf({ policy, inventory }: Config, store: Store): Promise<Intake> {
  const stored = isInFile(policy) ? undefined : await store.readPolicy();
  const read = stored === undefined ? undefined : readWrittenPolicy(stored, policy.stances);
  if (read?.ok === false) throw new CommandFailed(3, "the policy in the store cannot be read by this version");
  const appIds = appIdsOf(read?.policy ?? policy);
  return createIntake({
    store,
    appIds: () => appIds,
    privacy: inventory.privacy,
    homeDomains: policy.homeDomains,
    ownerRequired: true,
    now: () => new Date(),
  });
}
