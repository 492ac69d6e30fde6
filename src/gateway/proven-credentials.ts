/** Credentials that upstream has accepted a short while ago. They are kept as keyed hashes; the credentials themselves are nowhere. */
import type { Person } from "../policy/person.ts";

export interface ProvenCredentials {
  holds(hash: string): boolean;
  keep(hash: string, person: Person | undefined): void;
  /** Upstream has refused a credential of this person. */
  doubt(person: Person | undefined): void;
}

const cacheLimit = 100_000;

export function createProvenCredentials(validMs: number, now: () => number): ProvenCredentials {
  const proofs = new Map<string, { readonly until: number; readonly account: string }>();
  const hashesOf = new Map<string, Set<string>>();

  function drop(hash: string): void {
    const proof = proofs.get(hash);
    if (proof === undefined) return;
    proofs.delete(hash);
    const hashes = hashesOf.get(proof.account);
    hashes?.delete(hash);
    if (hashes?.size === 0) hashesOf.delete(proof.account);
  }

  return {
    holds(hash): boolean {
      const proof = proofs.get(hash);
      return proof !== undefined && proof.until > now();
    },
    keep(hash, person): void {
      drop(hash);
      const account = accountOf(person);
      proofs.set(hash, { until: now() + validMs, account });
      hashesOf.set(account, (hashesOf.get(account) ?? new Set()).add(hash));
      const [oldest] = proofs.keys();
      if (proofs.size > cacheLimit && oldest !== undefined) drop(oldest);
    },
    /**
     * Upstream counts wrong passwords and locks the account after some. Whoever guesses on would otherwise learn here which
     * password is the right one, when upstream does not say so any more.
     */
    doubt(person): void {
      if (person === undefined) return;
      for (const hash of new Set(hashesOf.get(accountOf(person)))) drop(hash);
    },
  };
}

/** Whatever the domain: one proof too few costs a question. */
function accountOf(person: Person | undefined): string {
  return person?.account.toLowerCase() ?? "";
}
