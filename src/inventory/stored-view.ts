/**
 * What stands in the store, as one act sees it: read in any order, changed in between, and written as the difference in the end. An
 * act has to name what it looks at before it looks; what it turns out to need besides is noted, and the act is begun anew with that.
 */
import type { Act, DocumentStore, Fields, FieldsChange, FieldsKey } from "../store/documents.ts";
import { StoreUnavailable } from "../store/store.ts";

export interface StoredView {
  /** Undefined where nothing is, or where it was not asked for: then the act is done anew, and what it comes to now is dropped. */
  read(key: FieldsKey): Fields | undefined;
  /** From now on exactly these fields stand there; none of them: nothing does. */
  put(key: FieldsKey, fields: Fields): void;
}

interface Entry {
  readonly key: FieldsKey;
  readonly stored: Fields | undefined;
  current: Fields | undefined;
}

/** 8: from a device to its ids, to others that claim them, to theirs, and their ids; each step may name what the next one needs. */
const ROUNDS_LIMIT = 8;

/**
 * Does the work as one act. It is called several times, so it is pure but for the view.
 * @throws StoreUnavailable, also where there is no end of what it needs
 */
export async function actOnView<T>(
  store: Pick<DocumentStore, "transact">,
  firstKeys: readonly FieldsKey[],
  work: (view: StoredView) => T,
): Promise<T> {
  const keys = new Map(firstKeys.map((key) => [spell(key), key]));
  for (let round = 0; round < ROUNDS_LIMIT; round += 1) {
    const asked = [...keys.values()];
    const outcome =
      asked.length === 0
        ? decide([], [], work).result
        : await store.transact(asked, (stored): Act<Outcome<T>> => decide(asked, stored, work));
    if (outcome.missing.length === 0) return outcome.result;
    for (const key of outcome.missing) keys.set(spell(key), key);
  }
  throw new StoreUnavailable(new Error("an act needs more than it could name"));
}

interface Outcome<T> {
  readonly result: T;
  readonly missing: readonly FieldsKey[];
}

function decide<T>(
  keys: readonly FieldsKey[],
  stored: readonly (Fields | undefined)[],
  work: (view: StoredView) => T,
): Act<Outcome<T>> {
  const entries = new Map(
    keys.map((key, index): [string, Entry] => [spell(key), { key, stored: stored[index], current: stored[index] }]),
  );
  const missing = new Map<string, FieldsKey>();
  const find = (key: FieldsKey): Entry | undefined => {
    const name = spell(key);
    const entry = entries.get(name);
    if (entry === undefined) missing.set(name, key);
    return entry;
  };
  const result = work({
    read: (key) => find(key)?.current,
    put(key, fields): void {
      const entry = find(key);
      if (entry !== undefined) entry.current = fields.size === 0 ? undefined : fields;
    },
  });
  const changes = missing.size > 0 ? [] : [...entries.values()].flatMap((entry) => differenceOf(entry) ?? []);
  return { changes, result: { result, missing: [...missing.values()] } };
}

function differenceOf({ key, stored, current }: Entry): FieldsChange | undefined {
  if (stored === current) return undefined;
  if (current === undefined) return { key, remove: "everything" };
  // What nobody can read as fields is in the way of fields: one key of another type would hold up a whole sync.
  if (stored === undefined) return { key, set: current, remove: "everything" };
  const set = new Map([...current].filter(([name, value]) => stored.get(name) !== value));
  const remove = [...stored.keys()].filter((name) => !current.has(name));
  return set.size === 0 && remove.length === 0 ? undefined : { key, set, remove };
}

function spell(key: FieldsKey): string {
  return `${key.kind} ${"id" in key ? key.id : key.name}`;
}
