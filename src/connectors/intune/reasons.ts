/** Why Intune calls devices noncompliant: one more call for each of them. People read it in the notice; no verdict depends on it. */
import * as z from "zod";
import { ConnectorFailure } from "../../inventory/connector.ts";
import type { RestClient } from "../rest/client.ts";
import { at } from "../rest/path.ts";
import { part, text, word } from "../rest/words.ts";
import type { ManagedDevice } from "./managed-device.ts";

/** As many as a person reads. */
const REASONS_LIMIT = 10;
/** As a record has it. */
const REASON_LIMIT_CHARACTERS = 256;
/** Calls at once, of one page. */
const AT_ONCE = 4;

const policyStates = z.object({
  value: z.array(
    z.object({
      displayName: text(),
      state: word(),
      settingStates: part(z.array(z.object({ setting: text(), settingName: text(), state: word() }))),
    }),
  ),
});

/**
 * By the ids of devices. Where Graph wants to be left alone, or does not say it of one, the device has none: its verdict must not wait.
 * @throws ConnectorFailure where the system is away or does not let us ask
 */
export async function askReasons(
  http: RestClient,
  devices: readonly ManagedDevice[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  const left = devices.filter(({ complianceState }) => /^(noncompliant|ingraceperiod)$/.test(complianceState));
  let isThrottled = false;
  const work = async (): Promise<void> => {
    for (let device = left.shift(); device !== undefined && !isThrottled; device = left.shift()) {
      try {
        found.set(device.id, await reasonsOf(http, device.id, signal));
      } catch (error) {
        if (!(error instanceof ConnectorFailure) || (error.code !== "throttled" && error.code !== "unreadable"))
          throw error;
        isThrottled ||= error.code === "throttled";
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return found;
}

async function reasonsOf(http: RestClient, id: string, signal: AbortSignal): Promise<readonly string[]> {
  const path = at`/deviceManagement/managedDevices/${id}/deviceCompliancePolicyStates`;
  const states = await http.find({ path }, policyStates, signal);
  const reasons = (states?.value ?? []).flatMap(({ displayName, state, settingStates = [] }) => {
    const failed = settingStates.filter((each) => saysNo.has(each.state));
    if (failed.length === 0) return saysNo.has(state) ? [displayName] : [];
    return failed.map(({ settingName, setting }) =>
      [displayName, settingName ?? setting].filter((each) => each !== undefined).join(": "),
    );
  });
  const worded = reasons.map((reason) => plain(reason ?? "")).filter((reason) => reason !== "");
  return [...new Set(worded)].slice(0, REASONS_LIMIT);
}

const saysNo: ReadonlySet<string> = new Set(["noncompliant", "error", "conflict"]);

/** One line, as a record has it. */
function plain(reason: string): string {
  return reason
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .trim()
    .slice(0, REASON_LIMIT_CHARACTERS)
    .toWellFormed();
}
