/** What an act changes in the policy, as values of an entry: every campaign and exemption that is another one than before, as JSON. */
import type { Values } from "./entry.ts";

interface Written {
  readonly campaigns: readonly unknown[];
  readonly exemptions: readonly unknown[];
}

export function policyValues(before: Written, after: Written): { readonly before: Values; readonly after: Values } {
  const [old, young] = [byName(before), byName(after)];
  const differs = (one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): Values =>
    Object.fromEntries([...one].filter(([name, text]) => other.get(name) !== text));
  return { before: differs(old, young), after: differs(young, old) };
}

function byName({ campaigns, exemptions }: Written): ReadonlyMap<string, string> {
  const entries = [
    ...campaigns.map((entry) => ["campaign", entry] as const),
    ...exemptions.map((entry) => ["exemption", entry] as const),
  ];
  return new Map(entries.map(([kind, entry]) => [`${kind} ${idOf(entry)}`, JSON.stringify(entry)]));
}

function idOf(entry: unknown): string {
  return typeof entry === "object" && entry !== null && "id" in entry && typeof entry.id === "string" ? entry.id : "";
}
