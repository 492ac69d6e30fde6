/**
 * Who does the work that one node does for all. A leader that was paused for longer than its term may wake up after another one has
 * begun, so each has a number that rises, the fence, and what it writes is written in one act with a look at it.
 */
import type { Act, DocumentKey, DocumentStore, Fields, FieldsKey } from "./documents.ts";

export interface Leadership {
  /** 1, 2, 3 …: another with each new leader. */
  readonly fence: number;
  readonly until: Date;
}

/** Somebody else leads by now: what was to be written must not be. */
export class LeadershipLost extends Error {
  readonly code = "leadership-lost";
  constructor() {
    super("another node leads by now");
    this.name = "LeadershipLost";
  }
}

function leaderKey(name: string): DocumentKey {
  return { kind: "leader", name };
}

/**
 * Takes the lead for so long where nobody has it, or goes on leading; undefined where another one leads. Clocks of nodes differ by two
 * seconds at most, so `ms` is many times that. @throws StoreUnavailable
 */
export function lead(
  store: Pick<DocumentStore, "transact">,
  name: string,
  holder: string,
  ms: number,
  now: () => Date,
): Promise<Leadership | undefined> {
  const key = leaderKey(name);
  return store.transact([key], ([fields]) => {
    const at = now();
    const last = read(fields);
    if (last !== undefined && last.holder !== holder && last.until > at) return { changes: [], result: undefined };
    const goesOn = last?.holder === holder && last.until > at;
    const fence = goesOn ? last.fence : (last?.fence ?? 0) + 1;
    const until = new Date(at.getTime() + ms);
    const set = new Map([
      ["holder", holder],
      ["fence", String(fence)],
      ["until", until.toISOString()],
    ]);
    return { changes: [{ key, set }], result: { fence, until } };
  });
}

/** Gives the lead back, so that another one need not wait for the end of the term. @throws StoreUnavailable */
export function resign(store: Pick<DocumentStore, "transact">, name: string, fence: number): Promise<void> {
  const key = leaderKey(name);
  return store.transact([key], ([fields]) => ({
    changes: read(fields)?.fence === fence ? [{ key, set: new Map([["until", new Date(0).toISOString()]]) }] : [],
    result: undefined,
  }));
}

/**
 * An act that is only carried out while that leader leads. Its keys are those of the act, without that of the leader.
 * @throws LeadershipLost, and nothing is written; StoreUnavailable
 */
export function transactAsLeader<T>(
  store: Pick<DocumentStore, "transact">,
  leader: { readonly name: string; readonly fence: number },
  keys: readonly FieldsKey[],
  decide: (stored: readonly (Fields | undefined)[]) => Act<T>,
): Promise<T> {
  return store.transact([leaderKey(leader.name), ...keys], ([fields, ...stored]) => {
    if (read(fields)?.fence !== leader.fence) throw new LeadershipLost();
    return decide(stored);
  });
}

function read(fields: Fields | undefined): { holder: string; fence: number; until: Date } | undefined {
  const fence = Number(fields?.get("fence"));
  const until = new Date(fields?.get("until") ?? "");
  if (fields === undefined || !Number.isSafeInteger(fence) || Number.isNaN(until.getTime())) return undefined;
  return { holder: fields.get("holder") ?? "", fence, until };
}
