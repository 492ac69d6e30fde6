/** Everything that is needed to explain how a device is judged, read from where it stands. */
import { formatFault } from "../config/fault.ts";
import { readWrittenPolicy } from "../config/policy-document.ts";
import type { Policy } from "../policy/campaign.ts";
import type { DeviceId, DeviceRecord } from "../policy/device.ts";
import { encodeFields, parseRecord } from "../store/record.ts";
import type { Store } from "../store/store.ts";
import { explain } from "./explanation.ts";
import type { Explanation } from "./explanation.ts";
import { PolicyRefused } from "./ledger.ts";
import { isInFile } from "./live-policy.ts";

/** Fields that the record does not have, as if it did; checked before. */
export interface Supposed {
  readonly set: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
  /** Ids of apps beside those that were reported. */
  readonly apps: readonly string[];
}

export interface DeviceQuestion {
  /** The spellings to look up, in their order. */
  readonly tried: readonly [DeviceId, ...DeviceId[]];
  /** Whose credential comes with the request; undefined: the owner's. */
  readonly person: string | undefined;
  readonly at: Date;
  readonly supposed: Supposed | undefined;
}

/** @throws StoreUnavailable, PolicyUnreadable, PolicyRefused where what stands in the store means nothing to this program */
export async function explainDevice(
  {
    store,
    configured,
  }: { readonly store: Pick<Store, "facts" | "readPolicy" | "lastRequests">; readonly configured: Policy },
  { tried, person, at, supposed }: DeviceQuestion,
): Promise<Explanation> {
  const facts = await store.facts(tried, undefined);
  const stored = isInFile(configured) ? undefined : await store.readPolicy();
  const read = stored === undefined ? undefined : readWrittenPolicy(stored, configured.stances);
  if (read?.ok === false) throw new PolicyRefused("invalid", read.faults.map(formatFault).join("\n"));
  return explain({
    tried,
    id: facts.id,
    record: supposed === undefined ? facts.record : withSupposed(facts.record, facts.id, supposed, at),
    person,
    policy: { ...configured, ...read?.policy },
    policyPlace: isInFile(configured) ? "configuration" : stored === undefined ? "nowhere" : "store",
    policyVersion: stored?.version,
    lastRequests: await store.lastRequests([...new Set([facts.id, ...tried])]),
    at,
  });
}

function withSupposed(record: DeviceRecord | undefined, id: DeviceId, supposed: Supposed, at: Date): DeviceRecord {
  const fields = new Map(record === undefined ? [] : encodeFields(record).set);
  for (const name of supposed.remove) fields.delete(name);
  for (const [name, value] of supposed.set) fields.set(name, value);
  const read = { ...parseRecord(id, fields, at).record, firstSeenAt: record?.firstSeenAt };
  const added = supposed.apps.map((app) => ({ id: app, name: undefined, version: undefined }));
  return added.length === 0 ? read : { ...read, apps: [...(read.apps ?? []), ...added] };
}
