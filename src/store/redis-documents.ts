/**
 * Documents in Redis, and acts upon several keys at once. An act watches what it reads (WATCH) and is not carried out where somebody
 * wrote in between (EXEC), so it has a connection of its own, and one act follows another on it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ONLY_VALUE } from "./backend.ts";
import type { Backend, Stored } from "./backend.ts";
import type { Act, FieldsChange, FieldsKey } from "./documents.ts";
import type { Command, Run } from "./redis-commands.ts";
import type { RedisKeys } from "./redis-keys.ts";
import { throwFirst, toStored, unavailable } from "./redis-replies.ts";

/** Says commands on the connection of acts; undefined where a transaction was not carried out because somebody wrote. */
type RunAct = (commands: readonly Command[], atomic?: "atomic") => Promise<Awaited<ReturnType<Run>> | undefined>;

export interface ActConnection {
  readonly run: RunAct;
  /** Forgets what is watched, by whatever means. */
  readonly release: () => Promise<void>;
}

/** Two who want the same phone are rare, and ten in a row are a fault. */
const ATTEMPTS = 10;
const SCAN_COUNT = 1_000;
/** Documents that are asked for at once: some 2 MB where each has a full list of apps. */
const SCAN_DOCUMENTS = 200;

export function redisDocuments(
  keys: RedisKeys,
  patient: Run,
  acts: <T>(work: (connection: ActConnection) => Promise<T>) => Promise<T>,
): Pick<Backend, "readDocuments" | "documents" | "transact"> {
  const readCommand = (key: FieldsKey): Command => [key.kind === "alias" ? "get" : "hgetall", keys.fieldsOf(key)];

  async function readDocuments(wanted: readonly FieldsKey[]): Promise<readonly Stored[]> {
    return wanted.length === 0 ? [] : (await patient(wanted.map(readCommand))).map(toStored);
  }

  async function* documents(
    kind: Parameters<Backend["documents"]>[0],
    beginning: string,
  ): AsyncGenerator<readonly (readonly [string, Stored])[]> {
    const pattern = keys.documentPattern(kind, beginning);
    let cursor = "0";
    do {
      const replies = await patient([["scan", cursor, "MATCH", pattern, "COUNT", SCAN_COUNT]]);
      throwFirst(replies);
      const reply = replies[0]?.[1];
      if (!Array.isArray(reply) || !Array.isArray(reply[1])) return;
      cursor = String(reply[0]);
      const names = [...new Set(reply[1].map(String))].flatMap((key) => keys.documentName(kind, key) ?? []);
      for (let first = 0; first < names.length; first += SCAN_DOCUMENTS) {
        const some = names.slice(first, first + SCAN_DOCUMENTS);
        const stored = await readDocuments(some.map((name) => ({ kind, name })));
        yield some.map((name, index) => [name, stored[index] ?? { kind: "absent" }]);
      }
    } while (cursor !== "0");
  }

  function transact<T>(wanted: readonly FieldsKey[], decide: (stored: readonly Stored[]) => Act<T>): Promise<T> {
    const names = [...new Set(wanted.map((key) => keys.fieldsOf(key)))];
    return acts(async ({ run, release }) => {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        // Those who were in each other's way must not be so again at once.
        if (attempt > 0) await sleep(Math.random() * attempt * 5);
        const [watched, ...read] = (await run([["watch", ...names], ...wanted.map(readCommand)])) ?? [];
        const act = await orRelease(() => {
          throwFirst(watched === undefined ? [] : [watched]);
          return decide(read.map(toStored));
        }, release);
        const commands = act.changes.flatMap((change) => commandsOf(keys.fieldsOf(change.key), change));
        if (commands.length === 0) {
          await release();
          return act.result;
        }
        const replies = await run(commands, "atomic");
        if (replies === undefined) continue;
        throwFirst(replies);
        return act.result;
      }
      throw unavailable("others changed the same at the same time, again and again");
    });
  }

  return { readDocuments, documents, transact };
}

async function orRelease<T>(work: () => T, release: () => Promise<void>): Promise<T> {
  try {
    return work();
  } catch (error) {
    await release();
    throw error;
  }
}

function commandsOf(name: string, { key, set, remove, ttlMs }: FieldsChange): readonly Command[] {
  if (key.kind === "alias") {
    const target = set?.get(ONLY_VALUE);
    if (target !== undefined) return [["set", name, target]];
    return remove === undefined ? [] : [["del", name]];
  }
  const commands: Command[] = [];
  if (remove === "everything") commands.push(["del", name]);
  else if (remove !== undefined && remove.length > 0) commands.push(["hdel", name, ...remove]);
  if (set !== undefined && set.size > 0) commands.push(["hset", name, ...[...set].flat()]);
  // The life of a record is for whoever wrote it to say.
  if (key.kind !== "device" && commands.length > 0)
    commands.push(ttlMs === undefined ? ["persist", name] : ["pexpire", name, ttlMs]);
  return commands;
}
