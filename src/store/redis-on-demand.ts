/** A connection to Redis for work that no phone waits for: made when it is needed first, and made anew after any doubt about it. */
import type { Redis } from "ioredis";
import type { ActConnection } from "./redis-documents.ts";
import type { Command, Run } from "./redis-commands.ts";
import { describe, isFromReplica, isSilence, unavailable } from "./redis-replies.ts";
import type { Reply } from "./redis-replies.ts";

export interface OnDemand {
  readonly run: Run;
  /** Work that has the connection for itself: one after another. */
  readonly act: <T>(work: (connection: ActConnection) => Promise<T>) => Promise<T>;
  readonly close: () => void;
}

/** @param timeoutMs how long an order may take from its first word to its last answer, however many commands it has */
export function createOnDemand(
  connect: () => Redis,
  timeoutMs: number,
  onProblem: (problem: string) => void,
): OnDemand {
  let isClosed = false;
  let current: Redis | undefined;
  let last: Promise<unknown> = Promise.resolve();

  function open(): Redis {
    const redis = connect();
    redis.on("error", (error: unknown) => onProblem(describe(error)));
    redis.on("close", () => forget(redis));
    redis.on("end", () => forget(redis));
    return redis;
  }

  function giveUp(redis: Redis): void {
    redis.disconnect();
    forget(redis);
  }

  function forget(redis: Redis): void {
    if (current === redis) current = undefined;
  }

  /** Servers close a connection that was idle for long, which shows when it is used again: what only reads is then asked once more. */
  async function run(...order: Parameters<Run>): Promise<readonly Reply[]> {
    if (isClosed) throw unavailable("the store is closed");
    const isReused = current !== undefined;
    const mine = (current ??= open());
    const replies = await within(timeoutMs, execute(mine, ...order)).catch((error: unknown) =>
      unavailable(describe(error)),
    );
    const isDoubtful = replies instanceof Error || isInDoubt(replies);
    if (!isDoubtful) return replies;
    const wasClosed = mine.status !== "ready";
    giveUp(mine);
    if (isReused && wasClosed && onlyReads(order[0])) return run(...order);
    if (replies instanceof Error) throw replies;
    return replies;
  }

  function act<T>(work: (connection: ActConnection) => Promise<T>): Promise<T> {
    const mine = last.then(() => actAlone(work));
    last = mine.catch(() => {});
    return mine;
  }

  /** Where the connection turns out to be closed before anything was written, the whole of it is done again on another. */
  async function actAlone<T>(work: (connection: ActConnection) => Promise<T>): Promise<T> {
    const wasOpen = current !== undefined;
    const used: { redis?: Redis; wrote: boolean } = { wrote: false };
    try {
      return await work(connectionFor(used));
    } catch (error) {
      const { redis } = used;
      const isClosedEarly = wasOpen && !used.wrote && redis !== undefined && redis !== current;
      if (!isClosedEarly) throw error;
      return work(connectionFor({ wrote: false }));
    }
  }

  function connectionFor(used: { redis?: Redis; wrote: boolean }): ActConnection {
    const say: ActConnection["run"] = async (commands, atomic) => {
      if (isClosed) throw unavailable("the store is closed");
      const mine = (used.redis ??= current ??= open());
      // What was watched on another connection is watched by nobody.
      if (mine !== current) throw unavailable("the connection was closed");
      if (atomic !== undefined) used.wrote = true;
      try {
        const batch = commands.map((command) => [...command]);
        const queued = atomic === undefined ? mine.pipeline(batch) : mine.multi(batch);
        const replies = await within(timeoutMs, queued.exec());
        if (replies !== null && isInDoubt(replies)) giveUp(mine);
        return replies ?? undefined;
      } catch (error) {
        giveUp(mine);
        throw unavailable(describe(error));
      }
    };
    const release = async (): Promise<void> => {
      // Whoever cannot say so any more watches nothing any more.
      await say([["unwatch"]]).catch(() => undefined);
    };
    return { run: say, release };
  }

  return {
    run,
    act,
    close(): void {
      isClosed = true;
      current?.disconnect();
    },
  };
}

function isInDoubt(replies: readonly Reply[]): boolean {
  return replies.some(isSilence) || replies.some(isFromReplica);
}

const readingCommands: ReadonlySet<string> = new Set([
  "get",
  "hget",
  "hgetall",
  "hkeys",
  "hmget",
  "hscan",
  "scan",
  "smembers",
]);

function onlyReads(commands: readonly Command[]): boolean {
  return commands.every(([name, called]) => readingCommands.has(name === "call" ? String(called).toLowerCase() : name));
}

/** One clock for all commands of an order: a clock for each of a million costs more than Redis takes to answer them. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("Command timed out")), ms);
  });
  return Promise.race([work, tooLate]).finally(() => clearTimeout(timer));
}

/** @throws where not even refusals came back. */
export async function execute(
  redis: Redis,
  commands: readonly Command[],
  atomic?: "atomic",
): Promise<readonly Reply[]> {
  const batch = commands.map((command) => [...command]);
  const queued = atomic === undefined || batch.length === 1 ? redis.pipeline(batch) : redis.multi(batch);
  const replies = await queued.exec();
  if (replies === null) throw new Error("the transaction was not carried out");
  return replies;
}
