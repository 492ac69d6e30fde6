/**
 * The audit trail, for whoever acts: an entry is on this machine's disk before anything is answered, and in the store then. What the
 * store has not had, or has lost, is put there with the next entry, by any program that has the same journal.
 */
import { AUDIT_BATCH_LIMIT } from "../store/audit-log.ts";
import type { AuditStore } from "../store/audit-log.ts";
import { StoreUnavailable } from "../store/store.ts";
import { markName } from "./chain.ts";
import type { Chain, Head, Writer } from "./chain.ts";
import { entryOf, fromCanonical, toCanonical } from "./entry.ts";
import type { AuditEntry, EntryDraft } from "./entry.ts";
import { JournalUnavailable } from "./journal.ts";
import type { Journal, JournalLine, JournalWriter } from "./journal.ts";

export interface AuditOptions {
  readonly store: AuditStore;
  readonly journal: Journal;
  readonly chain: Chain;
  readonly now: () => Date;
  /** From where entries are that do not say it themselves. */
  readonly address?: string | undefined;
}

/** What of an entry is known only once the act is done. */
type Done<T> = { readonly result: T } & Partial<
  Pick<AuditEntry, "about" | "act" | "version" | "before" | "after" | "outcome">
>;

export interface Audit {
  /**
   * Appends entries as one: on the disk when this resolves.
   * @returns whether the store has them too; otherwise they follow.
   * @throws JournalUnavailable where the disk does not take them
   */
  append(drafts: readonly EntryDraft[]): Promise<{ readonly stored: boolean }>;
  /**
   * Does something and notes that it was done. Where the journal cannot be written nothing is done. Where the work fails nothing
   * is noted, unless it is the store that did not answer: then it may have been done, and the entry says so.
   * @throws JournalUnavailable, and what `work` throws
   */
  act<T>(draft: EntryDraft, work: () => Promise<Done<T>>): Promise<T>;
  /** Puts into the store what it lacks of this journal. @throws StoreUnavailable, JournalUnavailable */
  readonly sync: () => Promise<void>;
}

/** Programs that share a journal, and put the same into the store at once. */
const ATTEMPTS = 5;
/** What was begun so long ago has ended, however that was: the longest act waits for the store some seconds. */
const FORGOTTEN_MS = 600_000;

export function createAudit({ store, journal, chain, now, address }: AuditOptions): Audit {
  const toEntry = (draft: EntryDraft): AuditEntry => entryOf({ address, ...draft }, now());

  function write(entries: readonly AuditEntry[], pending?: number): void {
    journal.append((head) => linesBehind(head, entries), pending);
  }

  function linesBehind(head: Head, entries: readonly AuditEntry[]): readonly JournalLine[] {
    const lines: JournalLine[] = [];
    for (const entry of entries) lines.push(chain.extend(lines.at(-1) ?? head, entry));
    return lines;
  }

  async function isStored(): Promise<boolean> {
    try {
      await sync();
      return true;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      return false;
    }
  }

  async function act<T>(draft: EntryDraft, work: () => Promise<Done<T>>): Promise<T> {
    if (!journal.isDurable) throw new JournalUnavailable(journal.folder, new Error("it is not on a disk"));
    const begun = toEntry(draft);
    const pending = journal.begin(JSON.stringify(toCanonical(begun)), now());
    let done: Done<T>;
    try {
      done = await work();
    } catch (error) {
      if (error instanceof StoreUnavailable) write([{ ...begun, outcome: "unknown" }], pending);
      else journal.forget(pending);
      throw error;
    }
    const { result, ...known } = done;
    try {
      write([toEntry({ ...draft, ...known, at: now() })], pending);
    } catch (cause) {
      throw new JournalUnavailable(journal.folder, new Error("the act is done, and could not be noted", { cause }));
    }
    await isStored();
    return result;
  }

  /** Of a program that was ended in the middle of an act. */
  function writeForgotten(): void {
    for (const { id, beganAt, text } of journal.pending(new Date(now().getTime() - FORGOTTEN_MS))) {
      const list: unknown = JSON.parse(text);
      const entry = Array.isArray(list) ? fromCanonical(list) : undefined;
      if (entry === undefined) journal.forget(id);
      else journal.settle(id, (head) => linesBehind(head, [{ ...entry, at: beganAt, outcome: "unknown" }]));
    }
  }

  async function sync(): Promise<void> {
    writeForgotten();
    const restored = await syncAll();
    if (restored.length === 0) return;
    write(restored.map(toEntry));
    await syncAll();
  }

  async function syncAll(): Promise<readonly EntryDraft[]> {
    const restored: EntryDraft[] = [];
    const done = new Set<Writer>();
    // Asked for anew each time: there is one more where this journal goes on under another name.
    for (let next = nextWriter(done); next !== undefined; next = nextWriter(done)) {
      done.add(next);
      const lost = await syncWriter(next);
      if (lost !== undefined) restored.push(lost);
    }
    return restored;
  }

  function nextWriter(done: ReadonlySet<Writer>): Writer | undefined {
    return journal.writers().find(({ head }) => !done.has(head.writer))?.head.writer;
  }

  /** An entry to be written where the store had lost something. */
  async function syncWriter(writer: Writer): Promise<EntryDraft | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const mine = journal.writers().find(({ head }) => head.writer === writer);
      if (mine === undefined) return undefined;
      const found = await foundInStore(mine);
      if (found === "somebody-else") {
        if (mine.isCurrent) moveOn();
        return undefined;
      }
      if (await push(mine, found)) return found.isLost ? restoredEntry(mine, found.upTo) : undefined;
    }
    throw new StoreUnavailable(
      new Error("others put the same journal into the store at the same time, again and again"),
    );
  }

  interface Found {
    /** The last line that the store has. */
    readonly upTo: number;
    readonly mark: string | undefined;
    readonly isTrimmedKnown: boolean;
    /** The store has had more. */
    readonly isLost: boolean;
  }

  async function foundInStore({ head, stored, trimmed }: JournalWriter): Promise<Found | "somebody-else"> {
    const { writer } = head;
    const marks = await store.auditMarks();
    const mark = marks.get(markName("head", writer));
    const trimmedMark = marks.get(markName("trimmed", writer));
    const removed = trimmedMark === undefined ? undefined : chain.readMark("trimmed", writer, trimmedMark);
    const common = { mark, isTrimmedKnown: removed !== undefined };
    if (mark === undefined) return { ...common, upTo: 0, isLost: stored > (removed?.sequence ?? 0) };
    const known = chain.readMark("head", writer, mark);
    // Not signed by us: our own memory counts, and the trail says that something was wrong.
    if (known === undefined) return { ...common, upTo: stored, isLost: true };
    if (known.sequence > head.sequence) return "somebody-else";
    const [line] = known.sequence <= trimmed.sequence ? [trimmed] : journal.lines(writer, known.sequence, 1);
    if (known.sequence >= trimmed.sequence && line?.seal !== known.seal) return "somebody-else";
    const isGone = known.sequence > (removed?.sequence ?? 0) && (await store.auditBefore(undefined, 1)).length === 0;
    const upTo = isGone ? (removed?.sequence ?? 0) : known.sequence;
    return { ...common, upTo, isLost: upTo < stored };
  }

  /** False where another program was faster: what is in the store is then another question. */
  async function push(
    { first, head, trimmed }: JournalWriter,
    { upTo, mark, isTrimmedKnown }: Found,
  ): Promise<boolean> {
    const { writer } = head;
    const also =
      trimmed.sequence > 0 && !isTrimmedKnown && upTo < first
        ? new Map([[markName("trimmed", writer), chain.mark("trimmed", trimmed)]])
        : undefined;
    let before = mark;
    for (let next = Math.max(upTo + 1, first); ;) {
      const lines = journal.lines(writer, next, AUDIT_BATCH_LIMIT);
      const last = lines.at(-1);
      if (last === undefined) break;
      const after = chain.mark("head", last);
      const texts = lines.map(({ text }) => text);
      if (!(await store.appendAudit({ mark: markName("head", writer), before, after, also, lines: texts })))
        return false;
      journal.noteStored(writer, last.sequence);
      before = after;
      next = last.sequence + 1;
    }
    return true;
  }

  function restoredEntry({ first, stored, head }: JournalWriter, upTo: number): EntryDraft {
    const range = { writer: head.writer, from: String(Math.max(upTo + 1, first)), to: String(stored) };
    return { kind: "restored", actor: "postern", why: "the store had lost these entries", after: range };
  }

  /** A journal that was copied, or put back from a backup, writes as somebody else from here on. */
  function moveOn(): void {
    journal.moveOn((head, unstored) =>
      linesBehind(
        head,
        unstored.flatMap((text) => {
          const read = chain.read(text);
          return read.kind === "good" ? [read.line.entry] : [];
        }),
      ),
    );
  }

  return {
    async append(drafts) {
      if (drafts.length > 0) write(drafts.map(toEntry));
      return { stored: await isStored() };
    },
    act,
    sync,
  };
}
