/**
 * A connector to a server that speaks Apple's protocol and keeps nothing of what phones answer: it hands each answer on, once. So nothing
 * can be listed or read there; phones are asked by commands, and what they say comes as webhooks.
 */
import type { Connector } from "../../inventory/connector.ts";
import { ConnectorFailure } from "../../inventory/connector.ts";
import { createAskedIds } from "./asked-ids.ts";
import { commandsFor } from "./commands.ts";
import type { Command } from "./commands.ts";
import { createOutstanding } from "./outstanding.ts";
import type { SharedMemory } from "./outstanding.ts";
import { createAppleMdmReceiver } from "./receiver.ts";
import type { WebhookSecrets } from "./webhook-proof.ts";
import { createWebhookProof } from "./webhook-proof.ts";

export interface AppleMdmSettings {
  /** Its name in the configuration. */
  readonly source: string;
  readonly webhook: WebhookSecrets;
  /** The parameter of the address in the enrolment profile that names the owner; undefined: nobody is named. */
  readonly ownerParameter: string | undefined;
  /** False: phones are asked about banned apps only, so that nobody's list of apps ever leaves the phone. */
  readonly wholeList: boolean;
}

/** How a server takes orders. Each call throws ConnectorFailure. */
export interface AppleMdmApi {
  /** Queues a command. `wake`: the phone is told that something waits. */
  enqueue(device: string, command: Command, wake: boolean, signal: AbortSignal): Promise<void>;
  wake(device: string, signal: AbortSignal): Promise<void>;
  health(signal: AbortSignal): Promise<void>;
}

export function createAppleMdm(
  kind: "nanomdm" | "micromdm",
  settings: AppleMdmSettings,
  memory: SharedMemory,
  api: AppleMdmApi,
): Connector {
  const { source, webhook, ownerParameter, wholeList } = settings;
  const asked = createAskedIds();
  const outstanding = createOutstanding(memory);

  return {
    source,
    kind,
    abilities: {
      apps: "all",
      easDeviceIds: true,
      incremental: false,
      lists: false,
      refresh: { usualSeconds: [2, 20], unlockFirst: true },
    },
    full: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(unlisted(kind)) }) }),
    async refresh(device, { signal, appIds }) {
      const question = asked.question(appIds());
      // Noted before anything is sent: a phone that is awake answers while we still speak.
      if (!(await outstanding.begin(device, question.digest))) return api.wake(device, signal);
      const commands = commandsFor(question, wholeList);
      try {
        for (const command of commands) await api.enqueue(device, command, command === commands.at(-1), signal);
      } catch (error) {
        // Which of them are queued is not known. The next time, all are asked again.
        await outstanding.end(device, question.digest);
        throw error;
      }
    },
    receiver: createAppleMdmReceiver({
      source,
      isGenuine: createWebhookProof(webhook),
      ownerParameter,
      asked,
      lastAsked: wholeList ? "all" : "device",
      outstanding,
    }),
    health: ({ signal }) => api.health(signal),
  };
}

function unlisted(kind: string): ConnectorFailure {
  return new ConnectorFailure("not-possible", `${kind} does not list phones; they are heard of as they speak`);
}
