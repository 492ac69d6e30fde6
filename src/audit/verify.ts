/** Walks all chains of a store and of a journal, and says exactly where one of them breaks. Reads only. */
import { AUDIT_PAGE_LIMIT } from "../store/audit-log.ts";
import type { AuditStore } from "../store/audit-log.ts";
import { beginning, markName, readMarkName } from "./chain.ts";
import type { Chain, Head, Line, Writer } from "./chain.ts";
import type { Journal, JournalLine } from "./journal.ts";

export interface Break {
  readonly where: "store" | "journal";
  readonly writer: Writer | undefined;
  readonly sequence: number | undefined;
  /** The row of the store, where it is about one. */
  readonly place: string | undefined;
  readonly problem: string;
}

export interface Verified {
  readonly breaks: readonly Break[];
  /** Breaks beyond BREAKS_LIMIT. */
  readonly moreBreaks: number;
  readonly storeEntries: number;
  readonly journalEntries: number;
  readonly writers: number;
  /** What the journal has and the store has not had yet: no break, the next act puts it there. */
  readonly waiting: number;
}

/** Told one by one; a key that is not the right one breaks everything. */
const BREAKS_LIMIT = 100;
const JOURNAL_PAGE = 1_000;

type Found = Omit<Break, "where" | "place"> & { readonly place?: string };

export interface VerifyOptions {
  readonly store: Pick<AuditStore, "auditAfter" | "auditMarks">;
  readonly journal: Pick<Journal, "writers" | "lines"> | undefined;
  readonly chain: Chain;
  readonly onProgress?: (entries: number) => void;
}

/** @throws StoreUnavailable, JournalUnavailable */
export async function verifyAudit({ store, journal, chain, onProgress }: VerifyOptions): Promise<Verified> {
  const breaks: Break[] = [];
  let count = 0;
  const tell =
    (where: Break["where"]) =>
    ({ place, ...found }: Found): void => {
      count += 1;
      if (breaks.length < BREAKS_LIMIT) breaks.push({ where, place, ...found });
    };
  // Read first: what is added while the rows are read is behind it, and no break.
  const marks = await store.auditMarks();
  const inJournal = journal?.writers() ?? [];
  const inStore = createWalk(chain, tell("store"));
  inStore.expect(marks);
  let storeEntries = 0;
  for (let place: string | undefined; ;) {
    const page = await store.auditAfter(place, AUDIT_PAGE_LIMIT);
    for (const row of page) inStore.take(row.line, row.place);
    storeEntries += page.length;
    onProgress?.(storeEntries);
    const last = page.at(-1);
    if (last === undefined) break;
    place = last.place;
  }
  inStore.end();

  let journalEntries = 0;
  let waiting = 0;
  for (const { first, head, stored, trimmed, isCurrent } of inJournal) {
    const { writer } = head;
    const walk = createWalk(chain, tell("journal"));
    walk.begin(trimmed);
    for (const { sequence, seal, text } of linesOf(journal, writer, first)) {
      walk.take(text, undefined);
      journalEntries += 1;
      const seen = inStore.sealAt(writer, sequence);
      if (seen !== undefined && seen !== seal)
        tell("store")({ writer, sequence, problem: "is another entry than the journal of this machine has" });
    }
    const has = inStore.headOf(writer);
    if (isCurrent && has > head.sequence)
      tell("journal")({
        writer,
        sequence: head.sequence + 1,
        problem: `is missing up to ${has}, which the store has: the journal was cut off, or put back from a backup`,
      });
    waiting += Math.max(0, head.sequence - Math.max(has, stored));
    if (has < stored)
      tell("store")({
        writer,
        sequence: has + 1,
        problem: `is missing up to ${stored}: the journal of this machine knows that the store has had it`,
      });
  }
  return {
    breaks,
    moreBreaks: count - breaks.length,
    storeEntries,
    journalEntries,
    writers: inStore.writers(),
    waiting,
  };
}

function* linesOf(journal: VerifyOptions["journal"], writer: Writer, first: number): Generator<JournalLine> {
  for (let next = first; ;) {
    const page = journal?.lines(writer, next, JOURNAL_PAGE) ?? [];
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    next = last.sequence + 1;
  }
}

interface State {
  sequence: number;
  /** Undefined: nothing is known of the line before, which was removed. */
  seal: string | undefined;
}

interface Walk {
  /** What the marks of the store promise. */
  expect(marks: ReadonlyMap<string, string>): void;
  begin(head: Head): void;
  take(text: string | undefined, place: string | undefined): void;
  /** When nothing more comes: what was promised and is not there. */
  end(): void;
  headOf(writer: Writer): number;
  /** Of the newest line only; older ones are held together by their seals. */
  sealAt(writer: Writer, sequence: number): string | undefined;
  writers(): number;
}

function createWalk(chain: Chain, tell: (found: Found) => void): Walk {
  const states = new Map<Writer, State>();
  const heads = new Map<Writer, Head>();
  const trimmed = new Map<Writer, Head>();
  const witnessed = new Map<Writer, { readonly sequence: number; readonly by: Writer }>();

  function expect(marks: ReadonlyMap<string, string>): void {
    for (const [name, text] of marks) {
      const known = readMarkName(name);
      const head = known === undefined ? undefined : chain.readMark(known.purpose, known.writer, text);
      if (known === undefined || head === undefined) {
        tell({
          writer: known?.writer,
          sequence: undefined,
          problem: `the mark ${JSON.stringify(name)} was not signed here`,
        });
        continue;
      }
      (known.purpose === "head" ? heads : trimmed).set(known.writer, head);
    }
  }

  function take(text: string | undefined, place: string | undefined): void {
    const at = place === undefined ? {} : { place };
    const read = text === undefined ? { kind: "unreadable" as const } : chain.read(text);
    switch (read.kind) {
      case "unreadable":
        return tell({ ...at, writer: undefined, sequence: undefined, problem: "is no entry of an audit trail" });
      case "forged":
      case "foreign": {
        const { writer, sequence } = read;
        const problem =
          read.kind === "forged"
            ? "was changed, or written by somebody without the secret of this installation"
            : `was sealed with another installation secret (${read.keyId}, and here it is ${chain.keyId})`;
        tell({ ...at, writer, sequence, problem });
        // Those behind it are held against what it says of itself, so that one change is one break.
        states.set(writer, { sequence, seal: undefined });
        return;
      }
      case "good":
        return takeGood(read.line, at);
    }
  }

  function takeGood(line: Line, at: { readonly place?: string }): void {
    const { writer, sequence, seal, previous, entry } = line;
    const before = states.get(writer) ?? stateBefore(line);
    const problem = problemOf(line, before);
    if (problem !== undefined) tell({ ...at, writer, sequence, problem });
    else if (before.seal !== undefined && previous !== before.seal)
      tell({ ...at, writer, sequence, problem: "does not follow the entry before it" });
    // What comes again moves nothing.
    if (sequence > before.sequence || !states.has(writer)) states.set(writer, { sequence, seal });
    if (entry.kind === "witness") noteWitness(writer, entry.after);
  }

  function problemOf({ sequence }: Line, before: State): string | undefined {
    if (sequence === before.sequence + 1) return undefined;
    if (sequence <= before.sequence) return `comes again, or in another order: it stands behind ${before.sequence}`;
    const missing = sequence - before.sequence - 1;
    if (before.sequence === 0)
      return `is the first that is there: ${missing} before it are missing, and nothing signed says that they were removed`;
    return `follows ${before.sequence}: ${missing === 1 ? "one is" : `${missing} are`} missing`;
  }

  /** Where lines were removed as they should be, any of them may still be there, and the seal of the last removed one is known. */
  function stateBefore({ writer, sequence }: Line): State {
    const removed = trimmed.get(writer);
    if (removed === undefined || sequence > removed.sequence + 1) return beginningOf(writer, removed);
    return { sequence: sequence - 1, seal: sequence === removed.sequence + 1 ? removed.seal : undefined };
  }

  function beginningOf(writer: Writer, removed: Head | undefined): State {
    const { sequence, seal } = removed ?? beginning(writer);
    return { sequence, seal };
  }

  function noteWitness(by: Writer, seen: Readonly<Record<string, string>>): void {
    for (const [writer, text] of Object.entries(seen)) {
      const sequence = Number(text.split(" ")[0]);
      if (Number.isSafeInteger(sequence) && sequence > (witnessed.get(writer)?.sequence ?? 0))
        witnessed.set(writer, { sequence, by });
    }
  }

  function headOf(writer: Writer): number {
    return Math.max(states.get(writer)?.sequence ?? 0, trimmed.get(writer)?.sequence ?? 0);
  }

  function end(): void {
    for (const [writer, { sequence, seal }] of heads) {
      const has = headOf(writer);
      const state = states.get(writer);
      if (has < sequence)
        tell({
          writer,
          sequence: has + 1,
          problem: `is missing up to ${sequence}, which the store has had: ${markName("head", writer)}`,
        });
      else if (state?.sequence === sequence && state.seal !== undefined && state.seal !== seal)
        tell({ writer, sequence, problem: "is another entry than the one that was written last" });
    }
    for (const [writer, { sequence, by }] of witnessed) {
      const has = headOf(writer);
      if (has < sequence && (heads.get(writer)?.sequence ?? 0) < sequence)
        tell({ writer, sequence: has + 1, problem: `is missing up to ${sequence}: the writer ${by} has seen it` });
    }
    for (const writer of states.keys())
      if (!heads.has(writer)) tell({ writer, sequence: undefined, problem: "has no mark that says how far it is" });
  }

  return {
    expect,
    begin: ({ writer, sequence, seal }) => void states.set(writer, { sequence, seal }),
    take,
    end,
    headOf,
    sealAt: (writer, sequence) => {
      const state = states.get(writer);
      return state?.sequence === sequence ? state.seal : undefined;
    },
    writers: () => new Set([...states.keys(), ...heads.keys()]).size,
  };
}
