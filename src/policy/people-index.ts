/** People as they are named in a list, found by account instead of one by one: all forms of a name have the same account. */
import { atHome, parsePerson, samePerson } from "./person.ts";
import type { Person } from "./person.ts";

export type PeopleIndex<T> = ReadonlyMap<string, readonly { readonly person: Person; readonly value: T }[]>;

/** Names that are none are left out; the configuration is checked before. */
export function indexPeople<T>(named: readonly (readonly [name: string, value: T])[]): PeopleIndex<T> {
  const index = new Map<string, { readonly person: Person; readonly value: T }[]>();
  for (const [name, value] of named) {
    const person = parsePerson(name);
    if (person === undefined) continue;
    const entries = index.get(person.account);
    if (entries === undefined) index.set(person.account, [{ person, value }]);
    else entries.push({ person, value });
  }
  return index;
}

export function valuesFor<T>(index: PeopleIndex<T>, person: Person, homeDomains: readonly string[]): readonly T[] {
  const entries = index.get(person.account);
  if (entries === undefined) return [];
  const wanted = atHome(person, homeDomains);
  return entries.filter((entry) => samePerson(atHome(entry.person, homeDomains), wanted)).map(({ value }) => value);
}

export function namesAny(index: PeopleIndex<true>, people: readonly Person[], homeDomains: readonly string[]): boolean {
  return people.some((person) => valuesFor(index, person, homeDomains).length > 0);
}
