/** The keys of whoever issues tokens, by their kid. A set in a file is read anew for a kid that it does not have: keys are rotated. */
import { readFileSync } from "node:fs";
import { KEY_SET_LIMIT_BYTES, readTokenKeys } from "../config/token-keys.ts";
import type { TokenKey } from "../config/token-keys.ts";

/** A made-up kid must not make the file be read for each request. */
const READ_AGAIN_MS = 10_000;

export interface TokenKeys {
  find(kid: string): TokenKey | undefined;
}

export interface TokenKeysOptions {
  readonly file: string;
  readonly nowMs: () => number;
  /** The file cannot be read any more; the keys that were read last go on to count. */
  readonly onProblem: (problem: string) => void;
}

export function openTokenKeys({ file, nowMs, onProblem }: TokenKeysOptions): TokenKeys {
  let keys: readonly TokenKey[] = [];
  let readAt = -Infinity;

  function read(): void {
    readAt = nowMs();
    const problem = problemOfReading();
    if (problem !== undefined) onProblem(problem);
  }

  function problemOfReading(): string | undefined {
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch {
      return "cannot be read";
    }
    if (Buffer.byteLength(text) > KEY_SET_LIMIT_BYTES) return `is larger than ${KEY_SET_LIMIT_BYTES} bytes`;
    const reading = readTokenKeys(text);
    if (reading.ok) keys = reading.value;
    return reading.ok ? undefined : reading.problem;
  }

  read();
  return {
    find(kid): TokenKey | undefined {
      const known = keys.find((each) => each.kid === kid);
      if (known !== undefined || Math.abs(nowMs() - readAt) < READ_AGAIN_MS) return known;
      read();
      return keys.find((each) => each.kid === kid);
    },
  };
}
