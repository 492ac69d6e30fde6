/**
 * The ids of ActiveSync, which are no field of a Fleet host: iPhones are asked for theirs by a command of Apple's MDM, and the answers
 * are there at a later sync. What was learnt is kept for as long as the program runs, and asked for anew now and then.
 */
import { randomUUID } from "node:crypto";
import * as z from "zod";
import { ConnectorFailure } from "../../inventory/connector.ts";
import { readPlist, UnreadablePlist } from "../../plist/read-plist.ts";
import { isDictionary } from "../../plist/value.ts";
import { writePlist } from "../../plist/write-plist.ts";
import type { RestClient } from "../rest/client.ts";
import { at } from "../rest/path.ts";

export interface EasIds {
  idOf(hostUuid: string): string | undefined;
  /** Reads what was answered since. @throws ConnectorFailure */
  learn(signal: AbortSignal): Promise<void>;
  /** Asks those whose id is not known and that were not asked lately. @throws ConnectorFailure */
  ask(hostUuids: readonly string[], signal: AbortSignal): Promise<void>;
}

/** iPhones whose id is kept. */
const KNOWN_LIMIT = 500_000;
/** Commands whose answers are waited for; the oldest is forgotten first. */
const OUTSTANDING_LIMIT = 1_000;
const askAgainMs = 86_400_000;

const ordered = z.object({ command_uuid: z.string().min(1).max(200) });
const answers = z.object({
  results: z
    .array(z.object({ host_uuid: z.string(), status: z.string(), result: z.string().nullish() }))
    .nullish()
    .transform((given) => given ?? []),
});

export function createEasIds(http: RestClient, now: () => Date): EasIds {
  const ids = new Map<string, string>();
  const askedAt = new Map<string, number>();
  const outstanding = new Map<string, number>();

  return {
    idOf: (hostUuid) => ids.get(hostUuid),

    async learn(signal) {
      for (const [command, hosts] of outstanding) {
        const { results } = await http.json(
          { path: at`/api/v1/fleet/commands/results`, query: [["command_uuid", command]] },
          answers,
          signal,
        );
        // Each host answers in its own time: a phone in a drawer much later than the rest.
        let answered = 0;
        for (const { host_uuid: host, status, result } of results) {
          if (status === "Pending" || status === "NotNow") continue;
          answered += 1;
          const id = result === null || result === undefined ? undefined : idIn(result);
          if (id !== undefined && (ids.has(host) || ids.size < KNOWN_LIMIT)) ids.set(host, id);
        }
        if (answered >= hosts) outstanding.delete(command);
      }
    },

    async ask(hostUuids, signal) {
      const due = hostUuids.filter((host) => now().getTime() - (askedAt.get(host) ?? 0) >= askAgainMs);
      if (due.length === 0) return;
      const command = writePlist(
        new Map<string, string | ReadonlyMap<string, string | readonly string[]>>([
          ["CommandUUID", `postern-${randomUUID()}`],
          [
            "Command",
            new Map<string, string | readonly string[]>([
              ["RequestType", "DeviceInformation"],
              ["Queries", ["EASDeviceIdentifier"]],
            ]),
          ],
        ]),
      );
      const { command_uuid: uuid } = await http.json(
        {
          method: "POST",
          path: at`/api/v1/fleet/commands/run`,
          body: { json: { command: Buffer.from(command).toString("base64"), host_uuids: due } },
        },
        ordered,
        signal,
      );
      for (const host of due) if (askedAt.has(host) || askedAt.size < KNOWN_LIMIT) askedAt.set(host, now().getTime());
      outstanding.set(uuid, due.length);
      for (const [oldest] of outstanding) {
        if (outstanding.size <= OUTSTANDING_LIMIT) break;
        outstanding.delete(oldest);
      }
    },
  };
}

/** Undefined for an answer without one: what a phone may not tell is left out, and what cannot be read is nobody's id. */
function idIn(result: string): string | undefined {
  try {
    const answer = readPlist(Buffer.from(result, "base64"));
    const responses = isDictionary(answer) ? answer.get("QueryResponses") : undefined;
    const id = isDictionary(responses) ? responses.get("EASDeviceIdentifier") : undefined;
    return typeof id === "string" && id !== "" ? id : undefined;
  } catch (error) {
    if (error instanceof UnreadablePlist) return undefined;
    throw new ConnectorFailure("unreadable", "an answer of a phone", { cause: error });
  }
}
