/** One version of the policy as text, as it stands in Redis and in the file. `docs/redis-contract.md` describes it for people. */
import { bad, got, isJsonObject, readJson, readTime } from "./field-values.ts";
import type { Reading } from "./field-values.ts";
import { policyActs, StoreUnavailable } from "./store.ts";
import type { PolicyVersion } from "./store.ts";

/** 4 MiB: a hundred campaigns and ten thousand exemptions, written at length. */
export const POLICY_LIMIT_BYTES = 4_194_304;
/** What was in force before is kept for these versions: years of work for an operator who changes it daily. */
export const POLICY_HISTORY_LIMIT = 1_000;

/** @throws RangeError beyond POLICY_LIMIT_BYTES. */
export function encodePolicyVersion(version: PolicyVersion): string {
  const text = JSON.stringify(version);
  if (Buffer.byteLength(text) > POLICY_LIMIT_BYTES)
    throw new RangeError(`a policy may have ${POLICY_LIMIT_BYTES} bytes at most`);
  return text;
}

/** @throws StoreUnavailable for what is none: a gate that does not know its policy knows nothing. */
export function decodePolicyVersion(text: string): PolicyVersion {
  const json = readJson(text);
  const reading = json.ok ? readVersion(json.value) : json;
  if (reading.ok) return reading.value;
  throw new StoreUnavailable(new Error(`the policy in the store ${reading.problem}`));
}

function readVersion(value: unknown): Reading<PolicyVersion> {
  if (!isJsonObject(value)) return bad("is not an object");
  const { version, at, who, why, campaigns, exemptions, about } = value;
  const time = typeof at === "string" ? readTime(at) : bad("has no time");
  const act = policyActs.find((each) => each === value["act"]);
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 1) return bad("has no version");
  if (!time.ok || act === undefined || typeof who !== "string" || typeof why !== "string")
    return bad("does not say when, by whom and why it was written");
  if (!Array.isArray(campaigns) || !Array.isArray(exemptions)) return bad("has no lists of campaigns and exemptions");
  const names = Array.isArray(about) ? about.filter((name) => typeof name === "string") : [];
  return got({ version, at: time.value, act, about: names, who, why, campaigns, exemptions });
}
