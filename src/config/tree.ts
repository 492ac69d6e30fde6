/** The configuration before it is checked: nested plain values of which nothing is known yet. */
import type { Path } from "./fault.ts";

export type Mapping = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function valueAt(tree: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, part) => childOf(value, part), tree);
}

export function textAt(tree: unknown, path: Path): string | undefined {
  const value = valueAt(tree, path);
  return typeof value === "string" ? value : undefined;
}

/** Own properties only: `constructor` and `__proto__` are keys like any other here. */
function childOf(value: unknown, part: string | number): unknown {
  if (Array.isArray(value)) return typeof part === "number" ? value[part] : undefined;
  return isMapping(value) && Object.hasOwn(value, part) ? value[part] : undefined;
}

/** In the place of a number, in a path that stands for those of all entries of a list. */
export const EACH = "[]";

/** The paths that a path with EACH in it stands for in this tree. */
export function placesIn(tree: unknown, path: Path): Path[] {
  const index = path.indexOf(EACH);
  if (index === -1) return [path];
  const before = path.slice(0, index);
  return listOf(valueAt(tree, before)).flatMap((_, entry) =>
    placesIn(tree, [...before, entry, ...path.slice(index + 1)]),
  );
}

/** A copy with one value set. Where something else than a mapping is in the way, it stays, and its own fault says so. */
export function withValue(tree: unknown, path: Path, value: unknown): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return value;
  if (Array.isArray(tree)) {
    return typeof part === "number" && part < tree.length ? tree.with(part, withValue(tree[part], rest, value)) : tree;
  }
  if (tree !== undefined && !isMapping(tree)) return tree;
  const next = withValue(childOf(tree, part), rest, value);
  // A key that is there keeps its place. `Object.fromEntries` defines properties where an assignment would call the
  // setter of `__proto__`.
  return Object.fromEntries(new Map([...Object.entries(tree ?? {}), [String(part), next]]));
}

export function withoutValue(tree: unknown, path: Path): unknown {
  const [part, ...rest] = path;
  if (part === undefined || !isMapping(tree) || !Object.hasOwn(tree, part)) return tree;
  const entries = Object.entries(tree);
  if (rest.length === 0) return Object.fromEntries(entries.filter(([key]) => key !== part));
  return Object.fromEntries(entries.map(([key, value]) => [key, key === part ? withoutValue(value, rest) : value]));
}
