/**
 * The names of one person. A phone may log in as `alice`, `CORP\alice` or `alice@corp.example`, and a record may name
 * its owner in any of these: they are one person. A name that could be two persons to two parsers is none at all.
 */

export interface Person {
  /** Lower-case, as compared and as used in keys. */
  readonly account: string;
  /** Lower-case DNS domain of a UPN or an address. */
  readonly domain: string | undefined;
}

/** 256: longer than any account name of Active Directory (104) and any address local part (64) with its domain. */
export const PERSON_NAME_LIMIT = 256;

const accountGrammar = /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._+'$#&!=~^-]*$/u;
const domainGrammar = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const netbiosGrammar = /^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u;

/** What nearly every name is: the same grammar in ASCII, where no letter has another form and nothing stands before a `\\`. */
const plainName =
  /^([a-z0-9][a-z0-9._+'$#&!=~^-]*)(?:@([a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*))?$/;

/** One grammar for names: `account`, `DOMAIN\account`, `account@domain`, `DOMAIN\account@domain`. Else undefined. */
export function parsePerson(name: string): Person | undefined {
  if (name.length > PERSON_NAME_LIMIT) return undefined;
  const plain = plainName.exec(name);
  if (plain?.[1] !== undefined) return { account: plain[1], domain: plain[2] };
  // A name whose compatibility form differs (fullwidth letters, ligatures) is one person to us and another to a
  // server that folds it.
  if (name.normalize("NFKC") !== name) return undefined;
  const slash = name.split("\\");
  const last = slash.at(-1);
  if (slash.length > 2 || last === undefined) return undefined;
  if (slash.length === 2 && !netbiosGrammar.test(slash[0] ?? "")) return undefined;
  const at = last.split("@");
  const account = (at[0] ?? "").toLowerCase();
  if (at.length > 2 || !accountGrammar.test(account)) return undefined;
  const domain = at[1]?.toLowerCase();
  if (domain !== undefined && !domainGrammar.test(domain)) return undefined;
  return { account, domain };
}

/** Whether two names can mean one person: same account, and no two different DNS domains. */
export function samePerson(a: Person, b: Person): boolean {
  if (a.account !== b.account) return false;
  return a.domain === undefined || b.domain === undefined || a.domain === b.domain;
}

/**
 * The same person with the organisation's own domain spelled out: with it, `alice` and `alice@corp.example` are one person
 * and `alice@elsewhere.example` is another. Without own domains the name stays as it is.
 */
export function atHome(person: Person, homeDomains: readonly string[]): Person {
  const [home] = homeDomains;
  if (home === undefined) return person;
  const isHome = person.domain === undefined || homeDomains.includes(person.domain);
  return isHome ? { account: person.account, domain: home } : person;
}

/** How a person is spelled in keys: all forms of the name give the same one. */
export function accountKey(person: Person, homeDomains: readonly string[]): string {
  const { account, domain } = atHome(person, homeDomains);
  return domain === undefined || homeDomains.length === 0 || domain === homeDomains[0]
    ? account
    : `${account}@${domain}`;
}
