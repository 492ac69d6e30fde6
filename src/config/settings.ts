/** The effective configuration, value by value, with secrets masked before anything else gets to see it. */
import type { Setting } from "./config.ts";
import type { Path } from "./fault.ts";
import { isSecretPath } from "./keys.ts";
import type { Origins } from "./origins.ts";
import { MASK } from "./secret.ts";
import { isMapping } from "./tree.ts";

export function settingsOf(tree: unknown, origins: Origins, path: Path = []): Setting[] {
  if (isMapping(tree) && Object.keys(tree).length > 0) {
    return Object.entries(tree).flatMap(([key, value]) => settingsOf(value, origins, [...path, key]));
  }
  if (Array.isArray(tree) && tree.some((item) => typeof item === "object")) {
    return tree.flatMap((item, index) => settingsOf(item, origins, [...path, index]));
  }
  return [{ path, value: isSecretPath(path) ? masked(tree) : tree, origin: origins.of(path) }];
}

/**
 * A URL keeps what an operator looks for, its host and database. User and password go together: somebody who writes a
 * password alone puts it where the user stands.
 */
function masked(value: unknown): string {
  const [, scheme, rest] = /^(rediss?:\/\/)(?:[^@]*@)?([^@]*)$/.exec(String(value)) ?? [];
  if (scheme === undefined || rest === undefined) return MASK;
  return String(value).includes("@") ? `${scheme}${MASK}@${rest}` : `${scheme}${rest}`;
}
