/** What is said to Redis about who was seen first when. */
import type { Backend } from "./backend.ts";
import { FIRST_SEEN_RENEWED_SECONDS, FIRST_SEEN_TTL_SECONDS } from "./first-seen.ts";
import type { Command, RedisRunners } from "./redis-commands.ts";
import type { RedisKeys } from "./redis-keys.ts";
import { throwFirst } from "./redis-replies.ts";

export function redisFirstSeen(
  keys: RedisKeys,
  { hot, patient }: RedisRunners,
  now: () => Date,
): Pick<Backend, "noteFirstSeen" | "firstSeenSince" | "beginFirstSeen"> {
  return {
    /** Beside the moment stands when it was written, so that what is kept long need not be written each time. */
    async noteFirstSeen(ids, atMs, urgency): Promise<void> {
      if (ids.length === 0) return;
      const run = urgency === "at once" ? hot : patient;
      const names = ids.map((id) => keys.nameOf({ kind: "first-seen", id }));
      const writtenMs = now().getTime();
      const notes = await run(names.map((name) => ["get", name]));
      throwFirst(notes);
      const commands = names.flatMap((name, index): Command[] => {
        const note = notes[index]?.[1];
        if (typeof note !== "string")
          return [["set", name, `${atMs} ${writtenMs}`, "EX", FIRST_SEEN_TTL_SECONDS, "NX"]];
        const [first = "", written] = note.split(" ");
        if (writtenMs - Number(written) < FIRST_SEEN_RENEWED_SECONDS * 1000) return [];
        return [["set", name, `${first} ${writtenMs}`, "EX", FIRST_SEEN_TTL_SECONDS, "XX"]];
      });
      if (commands.length > 0) throwFirst(await run(commands));
    },
    async firstSeenSince(): Promise<number | undefined> {
      const replies = await hot([["get", keys.firstSeenSince]]);
      throwFirst(replies);
      const text = replies[0]?.[1];
      return typeof text === "string" ? Number(text) : undefined;
    },
    async beginFirstSeen(atMs): Promise<void> {
      throwFirst(await patient([["set", keys.firstSeenSince, atMs, "NX"]]));
    },
  };
}
