/** Flags over environment over file over defaults: one tree, as if everything had been written in the file. */
import path from "node:path";
import type { ConfigFault, Origin, Path } from "./fault.ts";
import { filePaths, settableKeys, variables, withDefaults } from "./keys.ts";
import type { SettableKey } from "./keys.ts";
import type { Origins } from "./origins.ts";
import type { Environment, Flags } from "./sources.ts";
import { nearest } from "./spelling.ts";
import { defaultDatabase } from "./store-schema.ts";
import { isMapping, placesIn, textAt, valueAt, withValue, withoutValue } from "./tree.ts";

/** Names the configuration file; every other variable is the name of a key. */
export const FILE_VARIABLE = "POSTERN_CONFIG";
const prefix = "POSTERN_";
/** `postern phone` reads its password from here; it is no part of the gate's configuration. */
const phonePrefix = "POSTERN_PHONE_";

interface Assignment {
  readonly key: SettableKey;
  readonly text: string;
  readonly origin: Origin;
}

interface Layer {
  readonly assignments: readonly Assignment[];
  readonly faults: readonly ConfigFault[];
}

/** One value in two places: whoever gives one of them has decided against the others. */
const rivals: readonly (readonly string[])[] = [
  ["store.redis", "store.embedded"],
  ["store.redis.url", "store.redis.urlFile"],
  ["store.redis.password", "store.redis.passwordFile"],
];

export function layOver(tree: unknown, layer: Layer, origins: Origins): unknown {
  let result = tree;
  for (const { key } of layer.assignments) {
    for (const rival of rivalsOf(key.path)) result = withoutValue(result, rival.split("."));
  }
  for (const { key, text, origin } of layer.assignments) {
    result = withValue(result, key.path.split("."), valueOf(key, text));
    origins.replace(key.path.split("."), origin);
  }
  return result;
}

function rivalsOf(keyPath: string): string[] {
  return rivals.flatMap((group) => {
    const mine = group.find((member) => keyPath === member || keyPath.startsWith(`${member}.`));
    return mine === undefined ? [] : group.filter((member) => member !== mine);
  });
}

/** What is no number stays text, and the schema says what it should have been. */
function valueOf({ kind }: SettableKey, text: string): unknown {
  switch (kind) {
    case "text":
      return text;
    case "number":
      return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
    case "boolean":
      return text === "true" || text === "false" ? text === "true" : text;
    case "list":
      return text.split(",").map((item) => item.trim());
  }
}

export function environmentLayer(environment: Environment): Layer {
  const known = variables();
  const assignments: Assignment[] = [];
  const faults: ConfigFault[] = [];
  for (const [variable, text] of Object.entries(environment).toSorted(byName)) {
    if (!variable.startsWith(prefix) || text === undefined) continue;
    if (variable === FILE_VARIABLE || variable.startsWith(phonePrefix)) continue;
    const origin: Origin = { kind: "environment", variable };
    const key = known.get(variable);
    const earlier = assignments.find((assignment) => assignment.key.path === key?.path);
    if (key === undefined) {
      if (!isServiceLink(variable, text)) faults.push({ origin, path: "", message: unknownVariable(variable, known) });
    } else if (text === "") {
      // What fills a variable in may have failed, and then the default would hold without anybody having chosen it.
      faults.push({ origin, path: key.path, message: "is empty; give it a value, or unset the variable" });
    } else if (earlier?.origin.kind === "environment") {
      faults.push({ origin, path: key.path, message: `is set by ${earlier.origin.variable} too` });
    } else assignments.push({ key, text, origin });
  }
  return { assignments, faults };
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function unknownVariable(variable: string, known: ReadonlyMap<string, SettableKey>): string {
  const meant = nearest(
    variable.slice(prefix.length),
    [...known.keys()].map((name) => name.slice(prefix.length)),
  );
  return meant === undefined ? "unknown variable" : `unknown variable; did you mean ${prefix}${meant}?`;
}

/**
 * Kubernetes and Docker links describe a service named `postern` or `postern-admin` to every container beside it in such
 * variables, which nobody wrote and nobody can leave out.
 */
function isServiceLink(variable: string, text: string): boolean {
  if (/_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR))$/.test(variable))
    return true;
  // Somebody may well write POSTERN_MAIL_PORT, but not with such a value.
  return /_PORT(_\d+_(TCP|UDP|SCTP))?$/.test(variable) && /^(tcp|udp|sctp):\/\//.test(text);
}

export function flagLayer(flags: Flags): Layer {
  const known = new Map(settableKeys().map((key) => [key.path, key]));
  const assignments: Assignment[] = [];
  const faults: ConfigFault[] = [];
  for (const [keyPath, text] of Object.entries(flags)) {
    if (text === undefined) continue;
    const key = known.get(keyPath);
    if (key?.flag !== undefined) assignments.push({ key, text, origin: { kind: "flag", flag: key.flag } });
    else {
      const message =
        key === undefined
          ? "is no key that a flag can set"
          : "is a secret; everybody on this machine can read a command line";
      faults.push({ origin: { kind: "flag", flag: keyPath }, path: "", message });
    }
  }
  return { assignments, faults };
}

/** `redis: URL` is short for a mapping with the URL in it; written out, a password can be laid over it. */
export function spelledOut(tree: unknown, origins: Origins): unknown {
  const url = textAt(tree, ["store", "redis"]);
  if (url === undefined) return tree;
  origins.replace(["store", "redis", "url"], origins.of(["store", "redis"]));
  return withValue(withoutValue(tree, ["store", "redis"]), ["store", "redis", "url"], url);
}

/** Every key with what holds for it: defaults written out, paths absolute. */
export function completed(tree: unknown, origins: Origins, directory: string): unknown {
  let result = withDefaults(tree);
  const store = valueAt(result, ["store"]);
  // The one default that depends on a key beside it.
  if (isMapping(store) && Object.keys(store).every((key) => key !== "redis" && key !== "embedded")) {
    result = withValue(result, ["store", "embedded"], defaultDatabase);
  }
  for (const filePath of filePaths.flatMap((written) => placesIn(result, written))) {
    const written = textAt(result, filePath);
    if (written === undefined || written === "") continue;
    result = withValue(result, filePath, path.resolve(baseOf(filePath, origins, directory), written));
  }
  return result;
}

/** A path belongs to where it is written: to the file's own directory, or to where the command was typed. */
function baseOf(filePath: Path, origins: Origins, directory: string): string {
  const { kind } = origins.of(filePath);
  return kind === "environment" || kind === "flag" ? process.cwd() : directory;
}
