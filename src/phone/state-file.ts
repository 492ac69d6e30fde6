/** The phone's memory between two calls of the command. */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { PhoneError } from "./errors.ts";
import { parseState, type PhoneState } from "./state.ts";

/** Undefined where there is no such file yet. @throws PhoneError `state` */
export async function loadState(path: string): Promise<PhoneState | undefined> {
  let content: string;
  try {
    content = await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new PhoneError("state", `${path} cannot be read`, cause);
  }
  return parseState(parseJson(content, path));
}

function parseJson(content: string, path: string): unknown {
  try {
    return JSON.parse(content);
  } catch (cause) {
    throw new PhoneError("state", `${path} is no JSON`, cause);
  }
}

/** Readable for its owner alone, because it holds mail; whole or not at all, because half a key is no key. */
export async function saveState(path: string, state: PhoneState): Promise<void> {
  const draft = `${path}.${process.pid}.new`;
  try {
    await writeFile(draft, `${JSON.stringify(state, null, 1)}\n`, { mode: 0o600 });
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    throw new PhoneError("state", `${path} cannot be written`, cause);
  }
}
