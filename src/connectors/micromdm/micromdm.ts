/** MicroMDM (its user guide, "API and Webhooks"). It signs nothing, so that its webhook needs a secret in its path. */
import type { Connector } from "../../inventory/connector.ts";
import { createAppleMdm } from "../apple-mdm/apple-mdm.ts";
import type { AppleMdmSettings } from "../apple-mdm/apple-mdm.ts";
import type { SharedMemory } from "../apple-mdm/outstanding.ts";
import type { RestClient } from "../rest/client.ts";
import { at } from "../rest/path.ts";

/** The name by which MicroMDM knows whoever has its API key (HTTP Basic). */
export const microMdmUser = "micromdm";

/** @param http below the address of the server, `https://mdm.corp.example`. */
export function createMicroMdm(settings: AppleMdmSettings, memory: SharedMemory, http: RestClient): Connector {
  return createAppleMdm("micromdm", settings, memory, {
    async enqueue(device, { plist }, wake, signal) {
      const body = { bytes: Buffer.from(plist), contentType: "application/xml" };
      await http.send({ method: "POST", path: at`/v1/commands/${device}`, body }, signal);
      // It wakes the phone with each command, and takes commands for phones that it does not know: only this tells of those.
      if (wake) await http.send({ path: at`/push/${device}`, failures: unknownPhone }, signal, pushFailed);
    },
    async wake(device, signal) {
      await http.send({ path: at`/push/${device}`, failures: unknownPhone }, signal);
    },
    async health(signal) {
      // The queue of a phone that there is not: nothing is changed, and the key is looked at.
      await http.send({ path: at`/v1/commands/${"postern-health"}` }, signal, [404]);
    },
  });
}

/** The command is queued all the same. */
const pushFailed: readonly number[] = [500];
const unknownPhone = new Map([[404, "not-possible"] as const]);
