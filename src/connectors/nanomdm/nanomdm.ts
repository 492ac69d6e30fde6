/** NanoMDM (its operations guide, "Enqueue" and "Push"), and NanoHUB, which has the same interface below another path. */
import * as z from "zod";
import { ConnectorFailure } from "../../inventory/connector.ts";
import type { Connector } from "../../inventory/connector.ts";
import { createAppleMdm } from "../apple-mdm/apple-mdm.ts";
import type { AppleMdmApi, AppleMdmSettings } from "../apple-mdm/apple-mdm.ts";
import type { Command } from "../apple-mdm/commands.ts";
import type { SharedMemory } from "../apple-mdm/outstanding.ts";
import type { RestCall, RestClient } from "../rest/client.ts";
import { readJson } from "../rest/json.ts";
import { at } from "../rest/path.ts";

/** The name by which NanoMDM knows whoever has its API key (HTTP Basic). */
export const nanoMdmUser = "nanomdm";

/** @param http below the address of the interface, `https://mdm.corp.example/v1`. */
export function createNanoMdm(settings: AppleMdmSettings, memory: SharedMemory, http: RestClient): Connector {
  return createAppleMdm("nanomdm", settings, memory, createApi(http));
}

const result = z.looseObject({
  status: z
    .record(
      z.string(),
      z.looseObject({ push_result: z.string(), push_error: z.string(), command_error: z.string() }).partial(),
    )
    .optional(),
  push_error: z.string().optional(),
  command_error: z.string().optional(),
});
type Result = z.output<typeof result>;

/** 500 is what it says when nothing went well; what did is in the body, which may tell of a command that is queued all the same. */
const withResult: readonly number[] = [500];

function createApi(http: RestClient): AppleMdmApi {
  async function ask(call: RestCall, signal: AbortSignal): Promise<Result> {
    const answer = await http.send(call, signal, withResult);
    const name = `${call.method ?? "GET"} of NanoMDM`;
    try {
      return readJson(name, answer, result);
    } catch (error) {
      // A proxy in front of it has pages of its own, and NanoMDM answers without JSON where it could not even read the request.
      if (answer.httpStatus === 500) throw new ConnectorFailure("away", `${name}: HTTP 500`, { cause: error });
      throw error;
    }
  }

  return {
    async enqueue(device, { id, requestType, plist }, wake, signal) {
      const answer = await ask(
        {
          method: "PUT",
          path: at`/enqueue/${oneId(device)}`,
          query: wake ? [] : [["nopush", "1"]],
          body: { bytes: Buffer.from(plist), contentType: "application/xml" },
        },
        signal,
      );
      checkQueued(device, { id, requestType }, answer);
      if (wake) checkKnown(device, answer);
    },
    async wake(device, signal) {
      checkKnown(device, await ask({ path: at`/push/${oneId(device)}` }, signal));
    },
    async health(signal) {
      // Nobody is woken: there is no such phone. But the key is looked at, and the answer is one of NanoMDM.
      await ask({ path: at`/push/${"postern-health"}` }, signal);
    },
  };
}

/** Several ids may stand in one call, with commas between: an id with a comma would be two. */
function oneId(device: string): string {
  if (device.includes(",")) throw new ConnectorFailure("not-possible", "an id that NanoMDM cannot have");
  return device;
}

/** @throws ConnectorFailure where the command is not queued. That the phone could not be woken is none of its concern. */
function checkQueued(device: string, { requestType }: Pick<Command, "id" | "requestType">, answer: Result): void {
  const problem = answer.command_error ?? answer.status?.[device]?.command_error;
  // Each command is new, so this one came twice on its way, and is queued.
  if (problem === undefined || /already exists/i.test(problem)) return;
  // Each of its stores says in its own words that there is no such phone; MySQL and PostgreSQL speak of a foreign key.
  if (/foreign key|not found|no such|unknown|does not exist|invalid id/i.test(problem))
    throw new ConnectorFailure("not-possible", `NanoMDM does not know the phone that ${requestType} is for`);
  throw new ConnectorFailure("away", `NanoMDM could not queue ${requestType}`);
}

/** What is not named at all has no address for pushes: it never enrolled there. */
function checkKnown(device: string, answer: Result): void {
  if (answer.status?.[device] === undefined && answer.push_error === undefined && answer.command_error === undefined)
    throw new ConnectorFailure("not-possible", "NanoMDM does not know the phone that is to be woken");
}
