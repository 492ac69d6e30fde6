/** Which managed devices are whose: a document for each account name, so that a person's phones are found without reading all. */
import type { DocumentKey } from "../store/documents.ts";
import { managedDocument, managedKeyOf } from "./managed-document.ts";
import type { ManagedDevice } from "./managed.ts";
import { peopleOf } from "./join.ts";
import type { ManagedKey } from "./report.ts";
import type { StoredView } from "./stored-view.ts";

/** 100: nobody carries more phones, and a name that many people have in different domains is looked at one by one. */
export const PERSON_DEVICES_LIMIT = 100;

/** By the account alone, so that it stays true whatever domains the configuration calls its own. */
export function personDocument(account: string): DocumentKey {
  return { kind: "person", name: account };
}

export function indexOwner(view: StoredView, before: ManagedDevice | undefined, after: ManagedDevice): void {
  const { name } = managedDocument(after);
  const accounts = (device: ManagedDevice | undefined): ReadonlySet<string> =>
    new Set(device === undefined ? [] : peopleOf(device).map(({ account }) => account));
  const [old, current] = [accounts(before), accounts(after)];
  for (const account of old) {
    if (current.has(account)) continue;
    const fields = new Map(view.read(personDocument(account)));
    fields.delete(name);
    view.put(personDocument(account), fields);
  }
  for (const account of current) {
    if (old.has(account)) continue;
    const fields = new Map(view.read(personDocument(account)));
    if (fields.size < PERSON_DEVICES_LIMIT) fields.set(name, "1");
    view.put(personDocument(account), fields);
  }
}

export function devicesIn(fields: ReadonlyMap<string, string> | undefined): readonly ManagedKey[] {
  return [...(fields?.keys() ?? [])].flatMap((name): ManagedKey | [] => managedKeyOf(name) ?? []);
}
