/** Secrets that stand in files of their own, put where they would stand in the configuration. */
import type { Path } from "./fault.ts";
import type { Finding } from "./issues.ts";
import { secretPairs } from "./keys.ts";
import type { Origins } from "./origins.ts";
import { readText } from "./read-text.ts";
import { placesIn, textAt, valueAt, withValue } from "./tree.ts";

/** A URL with its password, or a password: far less than this. */
const SECRET_FILE_LIMIT_BYTES = 8 * 1024;

export interface SecretFiles {
  /** Holds secrets in the clear: for the schema only, never for printing. */
  readonly tree: unknown;
  readonly findings: readonly Finding[];
  /** Keys that have no value because their file could not be read, of which nothing more is to be said. */
  readonly unread: readonly Path[];
}

export function withSecretFiles(tree: unknown, origins: Origins): SecretFiles {
  let result = tree;
  const findings: Finding[] = [];
  const unread: Path[] = [];
  const pairs = secretPairs.flatMap(({ secret, file }) => {
    const secrets = placesIn(tree, secret);
    return placesIn(tree, file).map((place, index) => ({ file: place, secret: secrets[index] ?? secret }));
  });
  for (const { secret, file } of pairs) {
    const name = textAt(tree, file);
    if (name === undefined) continue;
    if (valueAt(tree, secret) !== undefined) {
      findings.push({
        path: file,
        message: `stands beside ${String(secret.at(-1))}; only one of them can hold`,
        side: "key",
      });
      continue;
    }
    const reading = readText(name, SECRET_FILE_LIMIT_BYTES);
    // Editors and `echo` end a file with a line end that is no part of the secret.
    const value = reading.ok ? reading.value.replace(/\r?\n$/, "") : "";
    if (value === "") {
      findings.push({ path: file, message: reading.ok ? "is empty" : reading.problem, side: "value" });
      unread.push(secret);
      continue;
    }
    origins.replace(secret, origins.of(file));
    result = withValue(result, secret, value);
  }
  return { tree: result, findings, unread };
}
