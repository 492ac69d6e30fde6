/** What is said to Redis about the traffic at the gates. All of it goes over the patient connection: no phone waits for it. */
import type { Backend } from "./backend.ts";
import type { Command, Run } from "./redis-commands.ts";
import type { RedisKeys } from "./redis-keys.ts";
import { throwFirst } from "./redis-replies.ts";
import type { Reply } from "./redis-replies.ts";
import { PREVIEW_TTL_SECONDS, SEEN_TTL_SECONDS, TALLY_TTL_SECONDS } from "./traffic.ts";

/** Members of the set that are asked for at once: some 50 KB of answer. */
const SEEN_PAGE = 1_000;

export function redisTraffic(
  keys: RedisKeys,
  patient: Run,
): Pick<Backend, "noteSeen" | "seen" | "addToTallies" | "readTallies" | "keepPreview" | "readPreview"> {
  async function* seen(sinceMs: number): AsyncGenerator<readonly (readonly [string, number])[]> {
    let cursor = "0";
    do {
      const replies = await patient([["zscan", keys.seen, cursor, "COUNT", SEEN_PAGE]]);
      throwFirst(replies);
      const reply = replies[0]?.[1];
      if (!Array.isArray(reply) || !Array.isArray(reply[1])) return;
      cursor = String(reply[0]);
      yield pairsOf(reply[1].map(String)).filter(([, atMs]) => atMs >= sinceMs);
    } while (cursor !== "0");
  }

  return {
    async noteSeen(members, cutoffMs, limit): Promise<void> {
      // GT: of two nodes that saw the same phone, the later time counts whichever of them writes first.
      const noted = [...members].flatMap(([member, atMs]) => [atMs, member]);
      throwFirst(
        await patient([
          ["zadd", keys.seen, "GT", ...noted],
          ["zremrangebyscore", keys.seen, "-inf", `(${cutoffMs}`],
          ["zremrangebyrank", keys.seen, 0, -limit - 1],
          ["expire", keys.seen, SEEN_TTL_SECONDS],
        ]),
      );
    },
    seen,
    async addToTallies(additions): Promise<void> {
      throwFirst(
        await patient(
          additions.flatMap(({ name, subjects, decisions }): Command[] => [
            ["pfadd", keys.tallyOf(name), ...subjects],
            ["expire", keys.tallyOf(name), TALLY_TTL_SECONDS],
            ["incrby", keys.decisionsOf(name), decisions],
            ["expire", keys.decisionsOf(name), TALLY_TTL_SECONDS],
          ]),
        ),
      );
    },
    async readTallies(names) {
      const replies = await patient(
        names.flatMap((name): Command[] => [
          ["pfcount", keys.tallyOf(name)],
          ["get", keys.decisionsOf(name)],
        ]),
      );
      throwFirst(replies);
      return names.map((_, index) => ({
        subjects: numberOf(replies[index * 2]),
        decisions: numberOf(replies[index * 2 + 1]),
      }));
    },
    async keepPreview(campaign, text): Promise<void> {
      throwFirst(await patient([["set", keys.previewOf(campaign), text, "EX", PREVIEW_TTL_SECONDS]]));
    },
    async readPreview(campaign): Promise<string | undefined> {
      const replies = await patient([["get", keys.previewOf(campaign)]]);
      throwFirst(replies);
      const text = replies[0]?.[1];
      return typeof text === "string" ? text : undefined;
    },
  };
}

/** A flat list of members and scores. */
function pairsOf(flat: readonly string[]): (readonly [string, number])[] {
  const pairs: (readonly [string, number])[] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) pairs.push([flat[index] ?? "", Number(flat[index + 1])]);
  return pairs;
}

function numberOf(reply: Reply | undefined): number {
  const value = Number(reply?.[1] ?? 0);
  return Number.isSafeInteger(value) ? value : 0;
}
