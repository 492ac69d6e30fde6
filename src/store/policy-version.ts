/** One version of the policy as text, as it stands in Redis and in the file. `docs/redis-contract.md` describes it for people. */
import { bad, got, isJsonObject, readJson, readTime } from "./field-values.ts";
import type { Reading } from "./field-values.ts";
import type { StoredPolicy } from "./backend.ts";
import type { PolicyVersion } from "./store.ts";

/** 4 MiB: a hundred campaigns and ten thousand exemptions, written at length. */
const POLICY_LIMIT_BYTES = 4_194_304;
/** What was in force before is kept for these versions: years of work for an operator who changes it daily. */
export const POLICY_HISTORY_LIMIT = 1_000;

/** @throws RangeError beyond POLICY_LIMIT_BYTES. */
export function encodePolicyVersion(version: PolicyVersion): string {
  const text = JSON.stringify(version);
  if (Buffer.byteLength(text) > POLICY_LIMIT_BYTES)
    throw new RangeError(`a policy may have ${POLICY_LIMIT_BYTES} bytes at most`);
  return text;
}

export function decodePolicyVersion({ version, text }: StoredPolicy): Reading<PolicyVersion> {
  const json = readJson(text);
  const reading = json.ok ? readVersion(json.value) : json;
  if (reading.ok && reading.value.version !== version) return bad("stands under the number of another version");
  return reading;
}

function readVersion(value: unknown): Reading<PolicyVersion> {
  if (!isJsonObject(value)) return bad("is not an object");
  const { version, at, act, who, why, campaigns, exemptions, about } = value;
  const time = typeof at === "string" ? readTime(at) : bad("has no time");
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 1) return bad("has no version");
  if (!time.ok || typeof act !== "string" || typeof who !== "string" || typeof why !== "string")
    return bad("does not say when, by whom and why it was written");
  if (!Array.isArray(campaigns) || !Array.isArray(exemptions)) return bad("has no lists of campaigns and exemptions");
  const names = Array.isArray(about) ? about.filter((name) => typeof name === "string") : [];
  const runs = readRuns(value["runs"]);
  return got({ version, at: time.value, act, about: names, who, why, campaigns, exemptions, runs });
}

/** A run that cannot be read is one of which nobody was told: at worst people are told twice. */
function readRuns(value: unknown): Readonly<Record<string, number>> {
  const entries = Object.entries(isJsonObject(value) ? value : {});
  return Object.fromEntries(entries.flatMap(([id, run]) => (typeof run === "number" ? [[id, run]] : [])));
}
