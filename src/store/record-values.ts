/** Readers of the values that only the record of a device has: names, apps, the source's verdict, an operator's word. */
import type { App, Override } from "../policy/device.ts";
import { parsePerson } from "../policy/person.ts";
import { bad, got, isJsonObject, readJson, readText, readTime, readWord } from "./field-values.ts";
import type { Reading } from "./field-values.ts";

/** 1 000 characters: an operator's sentence, not a document. */
export const WHY_LIMIT = 1_000;

export function readPersonName(text: string): Reading<string> {
  const name = readText(text);
  if (!name.ok) return name;
  return parsePerson(name.value) === undefined
    ? bad("is not a name such as alice, CORP\\alice or alice@corp.example")
    : name;
}

export function readAddress(text: string): Reading<string> {
  const address = readPersonName(text);
  if (address.ok && !address.value.includes("@")) return bad("is not an address such as alice@corp.example");
  return address;
}

export function readApp(item: unknown): Reading<App> {
  if (typeof item === "string") {
    const id = readText(item);
    return id.ok ? got({ id: id.value, name: undefined, version: undefined }) : id;
  }
  if (!isJsonObject(item) || typeof item["id"] !== "string") return bad("has no text as its id");
  const id = readText(item["id"]);
  const name = readLabel(item["name"]);
  const version = readLabel(item["version"]);
  if (!id.ok) return id;
  if (!name.ok) return name;
  return version.ok ? got({ id: id.value, name: name.value, version: version.value }) : version;
}

/** Names and versions are only shown to people, so what is too long or odd is left out rather than held against the list. */
function readLabel(value: unknown): Reading<string | undefined> {
  if (value === undefined || value === null) return got(undefined);
  if (typeof value === "number") return got(String(value));
  if (typeof value !== "string") return bad("has a name or version that is not text");
  const label = readText(value);
  return got(label.ok ? label.value : undefined);
}

const complianceWords = ["compliant", "noncompliant"] as const;

export function readCompliance(text: string): Reading<"compliant" | "noncompliant"> {
  return readWord(text.trim().replaceAll(/[-_ ]/g, ""), complianceWords);
}

const overrideActions = ["allow", "block"] as const;
const overrideKeys: ReadonlySet<string> = new Set(["action", "why", "who", "until"]);

/** The word `allow` or `block`, or a JSON object. A key that is not ours is a fault: `untill` would make it eternal. */
export function readOverride(text: string): Reading<Override> {
  const trimmed = text.trim();
  if (!trimmed.startsWith("{")) {
    const action = readWord(trimmed, overrideActions);
    return action.ok ? got({ action: action.value, why: undefined, who: undefined, until: undefined }) : action;
  }
  const json = readJson(trimmed);
  if (!json.ok) return json;
  if (!isJsonObject(json.value)) return bad("is not a JSON object");
  const { action, why, who, until } = json.value;
  if (!Object.keys(json.value).every((key) => overrideKeys.has(key))) {
    return bad("has another key than action, why, who, until");
  }
  if (typeof action !== "string") return bad("has no action");
  const readings = {
    action: readWord(action, overrideActions),
    why: readOptional(why, (value) => readText(value, WHY_LIMIT)),
    who: readOptional(who, (value) => readText(value)),
    until: readOptional(until, readTime),
  };
  if (!readings.action.ok) return bad(`has an action that ${readings.action.problem}`);
  if (!readings.why.ok) return bad(`has a "why" that ${readings.why.problem}`);
  if (!readings.who.ok) return bad(`has a "who" that ${readings.who.problem}`);
  if (!readings.until.ok) return bad(`has an "until" that ${readings.until.problem}`);
  return got({
    action: readings.action.value,
    why: readings.why.value,
    who: readings.who.value,
    until: readings.until.value,
  });
}

function readOptional<T>(value: unknown, read: (text: string) => Reading<T>): Reading<T | undefined> {
  if (value === undefined || value === null) return got(undefined);
  return typeof value === "string" ? read(value) : bad("is not text");
}
