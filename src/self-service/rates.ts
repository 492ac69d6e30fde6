/** How often one client may ask: so many at once, and then as they come back with time. Bounded, whoever comes. */

export interface RatesOptions {
  /** What a client has that was not there for long. */
  readonly burst: number;
  readonly perSecond: number;
  /** Of more clients than this, those that were not there for the longest time are forgotten. */
  readonly clients: number;
  /** Milliseconds on any clock that does not go back. */
  readonly now: () => number;
}

/** Undefined where it is taken; otherwise after how many seconds it would be. */
export type TakeRate = (client: string, cost?: number) => number | undefined;

interface Account {
  readonly left: number;
  readonly at: number;
}

export function createRates({ burst, perSecond, clients, now }: RatesOptions): TakeRate {
  const accounts = new Map<string, Account>();

  return function take(client, cost = 1): number | undefined {
    const at = now();
    const known = accounts.get(client);
    const left = known === undefined ? burst : Math.min(burst, known.left + ((at - known.at) / 1000) * perSecond);
    accounts.delete(client);
    const isEnough = left >= cost;
    accounts.set(client, { left: isEnough ? left - cost : left, at });
    if (accounts.size > clients) {
      const [longest] = accounts.keys();
      if (longest !== undefined) accounts.delete(longest);
    }
    return isEnough ? undefined : Math.ceil((cost - left) / perSecond);
  };
}
