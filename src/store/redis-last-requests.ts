/** What is said to Redis about the last requests. All of it goes over the patient connection: no phone waits for it. */
import type { Backend } from "./backend.ts";
import { LAST_REQUEST_TTL_SECONDS } from "./last-requests.ts";
import { pairsIn } from "./redis-commands.ts";
import type { Command, Run } from "./redis-commands.ts";
import { decodeName, encodeName } from "./redis-keys.ts";
import type { RedisKeys } from "./redis-keys.ts";
import { throwFirst } from "./redis-replies.ts";

/** People in one answer: some 100 KB of it. */
const STRANGERS_PAGE = 200;

export function redisLastRequests(
  keys: RedisKeys,
  patient: Run,
): Pick<Backend, "noteLast" | "readLast" | "readStrangers" | "writeStrangers" | "strangers"> {
  return {
    async noteLast(requests): Promise<void> {
      throwFirst(
        await patient(
          requests.map(({ id, isOwners, text }) => [
            "set",
            keys.lastRequestOf(id, isOwners),
            text,
            "EX",
            LAST_REQUEST_TTL_SECONDS,
          ]),
        ),
      );
    },
    async readLast(ids): Promise<readonly string[]> {
      const replies = await patient(
        ids.flatMap((id): Command[] => [true, false].map((isOwners) => ["get", keys.lastRequestOf(id, isOwners)])),
      );
      throwFirst(replies);
      return replies.flatMap(([, text]) => (typeof text === "string" ? [text] : []));
    },
    async readStrangers(accounts): Promise<readonly (string | undefined)[]> {
      const replies = await patient([["hmget", keys.strangers, ...accounts.map(encodeName)]]);
      throwFirst(replies);
      const texts: unknown = replies[0]?.[1];
      const found: readonly unknown[] = Array.isArray(texts) ? texts : [];
      return accounts.map((_, index) => {
        const text = found[index];
        return typeof text === "string" ? text : undefined;
      });
    },
    async writeStrangers(set, remove): Promise<number> {
      const commands: Command[] = [];
      if (remove.length > 0) commands.push(["hdel", keys.strangers, ...remove.map(encodeName)]);
      if (set.size > 0) {
        commands.push(["hset", keys.strangers, ...[...set].flatMap(([account, text]) => [encodeName(account), text])]);
        commands.push(["expire", keys.strangers, LAST_REQUEST_TTL_SECONDS]);
      }
      const replies = await patient([...commands, ["hlen", keys.strangers]]);
      throwFirst(replies);
      return Number(replies.at(-1)?.[1] ?? 0);
    },
    async *strangers(): AsyncGenerator<readonly (readonly [string, string])[]> {
      let cursor = "0";
      do {
        const replies = await patient([["hscan", keys.strangers, cursor, "COUNT", STRANGERS_PAGE]]);
        throwFirst(replies);
        const { cursor: next, names } = pairsIn(replies[0]?.[1]);
        yield names.flatMap(([name, text]) => {
          const account = decodeName(name);
          return account === undefined ? [] : [[account, text] as const];
        });
        cursor = next;
      } while (cursor !== "0");
    },
  };
}
