/** What is said to Redis about the audit trail: one stream for all writers, and one hash that says how far each of them is. */
import { setTimeout as sleep } from "node:timers/promises";
import type { AuditRow, AuditStore } from "./audit-log.ts";
import type { Command, Run } from "./redis-commands.ts";
import type { ActConnection } from "./redis-documents.ts";
import type { RedisKeys } from "./redis-keys.ts";
import { throwFirst, toStored, unavailable } from "./redis-replies.ts";

/** All writers have one hash of marks, so that they are in each other's way now and then. */
const ATTEMPTS = 20;
/** The only field of a row. */
const FIELD = "line";

export function redisAudit(
  keys: RedisKeys,
  patient: Run,
  acts: <T>(work: (connection: ActConnection) => Promise<T>) => Promise<T>,
): AuditStore {
  const { audit, auditMarks } = keys;

  async function appendAudit({ mark, before, after, also, lines }: Parameters<AuditStore["appendAudit"]>[0]) {
    return acts(async ({ run, release }) => {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        if (attempt > 0) await sleep(Math.random() * attempt * 5);
        const found =
          (await run([
            ["watch", auditMarks],
            ["hmget", auditMarks, mark],
          ])) ?? [];
        throwFirst(found);
        const values: unknown = found[1]?.[1];
        const present: unknown = Array.isArray(values) ? values[0] : undefined;
        if ((typeof present === "string" ? present : undefined) !== before) {
          await release();
          return false;
        }
        const marks = [[mark, after] as const, ...(also ?? [])].flat();
        const replies = await run(
          [...lines.map((line): Command => ["xadd", audit, "*", FIELD, line]), ["hset", auditMarks, ...marks]],
          "atomic",
        );
        if (replies === undefined) continue;
        throwFirst(replies);
        return true;
      }
      throw unavailable("others wrote into the audit trail at the same time, again and again");
    });
  }

  async function rows(command: Command): Promise<readonly AuditRow[]> {
    const replies = await patient([command]);
    throwFirst(replies);
    const found: unknown = replies[0]?.[1];
    return Array.isArray(found) ? found.flatMap((entry: unknown) => toRow(entry)) : [];
  }

  return {
    appendAudit,
    async auditMarks() {
      const [reply] = await patient([["hgetall", auditMarks]]);
      const stored = reply === undefined ? undefined : toStored(reply);
      if (stored?.kind === "unreadable") throw unavailable(stored.problem);
      return stored?.kind === "fields" ? stored.fields : new Map();
    },
    auditAfter: (place, limit) => rows(["xrange", audit, place === undefined ? "-" : `(${place}`, "+", "COUNT", limit]),
    auditBefore: (place, limit) =>
      rows(["xrevrange", audit, place === undefined ? "+" : `(${place}`, "-", "COUNT", limit]),
    async trimAudit(place, { set, remove }) {
      const commands: Command[] = [];
      if (remove.length > 0) commands.push(["hdel", auditMarks, ...remove]);
      if (set.size > 0) commands.push(["hset", auditMarks, ...[...set].flat()]);
      throwFirst(await patient([...commands, ["xtrim", audit, "MINID", nextPlace(place)]], "atomic"));
    },
  };
}

/** A row is a place and its fields in turn. */
function toRow(entry: unknown): AuditRow[] {
  if (!Array.isArray(entry)) return [];
  const parts: readonly unknown[] = entry;
  const [place, fields] = parts;
  if (typeof place !== "string") return [];
  const isOurs = Array.isArray(fields) && fields.length === 2 && fields[0] === FIELD && typeof fields[1] === "string";
  return [{ place, storedAtMs: Number(place.split("-")[0]), line: isOurs ? String(fields[1]) : undefined }];
}

function nextPlace(place: string): string {
  const [ms = "0", number = "0"] = place.split("-");
  return `${ms}-${BigInt(number) + 1n}`;
}
