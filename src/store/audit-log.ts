/** The audit trail as the store keeps it: lines in the order in which they came, and how far each writer is. What a line says is for `audit/`. */

export interface AuditRow {
  /** Where it stands: later rows have later places. Only the store that gave it can compare it. */
  readonly place: string;
  /** When the store took it, in milliseconds since 1970, by the clock of the store. */
  readonly storedAtMs: number;
  /** Undefined where something stands there that no Postern has written. */
  readonly line: string | undefined;
}

/** Marks are short texts under names: how far a writer is, and up to where its lines were removed. */
interface AuditAppend {
  /** The mark that says how far the writer is. */
  readonly mark: string;
  /** What it must be for the lines to be taken; undefined: not there. */
  readonly before: string | undefined;
  readonly after: string;
  /** Other marks that are set with it. */
  readonly also?: ReadonlyMap<string, string> | undefined;
  readonly lines: readonly string[];
}

export interface AuditStore {
  /** All lines and the marks, or nothing: false where the mark is another one. @throws StoreUnavailable, RangeError */
  appendAudit(append: AuditAppend): Promise<boolean>;
  /** @throws StoreUnavailable */
  auditMarks(): Promise<ReadonlyMap<string, string>>;
  /** The oldest first, from behind this place on. @throws StoreUnavailable */
  auditAfter(place: string | undefined, limit: number): Promise<readonly AuditRow[]>;
  /** The newest first, from before this place on. @throws StoreUnavailable */
  auditBefore(place: string | undefined, limit: number): Promise<readonly AuditRow[]>;
  /** Sets and removes marks, then removes every row up to this place, that row too. @throws StoreUnavailable */
  trimAudit(
    place: string,
    marks: { readonly set: ReadonlyMap<string, string>; readonly remove: readonly string[] },
  ): Promise<void>;
}

/** Lines of one append: some hundred KB where each is of the usual size. */
export const AUDIT_BATCH_LIMIT = 500;
/** Rows of one answer. */
export const AUDIT_PAGE_LIMIT = 1_000;

/** @throws RangeError */
export function checkedAudit(backend: AuditStore): AuditStore {
  const requirePage = (limit: number): void => {
    if (limit < 1 || limit > AUDIT_PAGE_LIMIT)
      throw new RangeError(`a page of the audit trail has 1 to ${AUDIT_PAGE_LIMIT} rows`);
  };
  return {
    appendAudit: async (append) => {
      if (append.lines.length === 0 || append.lines.length > AUDIT_BATCH_LIMIT)
        throw new RangeError(`1 to ${AUDIT_BATCH_LIMIT} lines of the audit trail are written at once`);
      return backend.appendAudit(append);
    },
    auditMarks: () => backend.auditMarks(),
    auditAfter: async (place, limit) => {
      requirePage(limit);
      return backend.auditAfter(place, limit);
    },
    auditBefore: async (place, limit) => {
      requirePage(limit);
      return backend.auditBefore(place, limit);
    },
    trimAudit: (place, marks) => backend.trimAudit(place, marks),
  };
}
