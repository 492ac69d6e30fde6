/** The body of a request that the gate answers or forwards itself: one document, of the command that the URL names. */
import type { Remediation } from "../gateway/protocol.ts";
import { Refusal } from "../gateway/errors.ts";
import { rootOf } from "./commands.ts";
import type { CommandName } from "./commands.ts";
import { decode, WbxmlError } from "./wbxml.ts";
import type { Element } from "./wbxml.ts";

/** Undefined for an empty body. @throws Refusal */
export async function readDocument(
  command: CommandName,
  context: Remediation,
  limitBytes: number,
): Promise<Element | undefined> {
  const bytes = await context.readBody(limitBytes);
  return bytes.byteLength === 0 ? undefined : documentIn(command, bytes);
}

/** Servers run the command that the root names and ignore the one in the URL, so the two must agree. @throws Refusal */
export function documentIn(command: CommandName, bytes: Uint8Array): Element {
  const document = readingWbxml(() => decode(bytes));
  if (document.tag !== rootOf(command)) {
    throw new Refusal("command-contradicts-body", 400, "root of the body is not the command of the URL");
  }
  return document;
}

/** Whatever is found wrong with a document while it is read makes it one that is refused. */
export function readingWbxml<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw refusalOf(error);
  }
}

/** The same for work that waits in between. */
export async function answeringWbxml<T>(answer: () => Promise<T>): Promise<T> {
  try {
    return await answer();
  } catch (error) {
    throw refusalOf(error);
  }
}

export function refusalOf(error: unknown): unknown {
  return error instanceof WbxmlError ? new Refusal("body-unreadable", 400, `wbxml: ${error.code}`) : error;
}
