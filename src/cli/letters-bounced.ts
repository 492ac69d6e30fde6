/** `postern letters bounced`: behind a pipe of the mail server, reads its reports and notes which letter came back. */
import { readBounce } from "../letters/bounce.ts";
import type { LetterEntry } from "../store/store.ts";
import { requireConfig } from "./configuration.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { CommandFailed } from "./exit.ts";
import { withStore } from "./store.ts";
import { jsonText, print, printable } from "./terminal.ts";

/** Of a message so much is read; a report is smaller, and the mail that it returns stands at its end. */
const MESSAGE_LIMIT_BYTES = 262_144;

/** Silent without either: Exim, as Debian sets it up, sends mail back to its sender where the program behind a pipe says anything. */
export interface BouncedOptions extends ConfigurationOptions {
  readonly json?: boolean;
  readonly verbose?: boolean;
}

type Outcome =
  | { readonly outcome: "bounced"; readonly letter: LetterEntry }
  | { readonly outcome: "not-taken"; readonly letter: LetterEntry }
  | { readonly outcome: "no-report" | "no-failure" | "not-ours" | "ambiguous" };

/** @throws CommandFailed with exit code 75 where the mail server should hand the message over again. */
export async function lettersBounced(options: BouncedOptions, input: NodeJS.ReadStream): Promise<void> {
  if (input.isTTY) throw new CommandFailed(2, "the report of a mail server is read from standard input");
  const message = await readMessage(input);
  const found = await handOverAgainUnless(() => noteBounce(message, options));
  if (options.json === true) print(jsonText(found));
  else if (options.verbose === true) print(outcomeText(found));
}

async function noteBounce(message: Buffer, options: ConfigurationOptions): Promise<Outcome> {
  const bounce = readBounce(message);
  if (bounce.kind !== "failure") return { outcome: bounce.kind };
  const [envelope] = bounce.envelopes;
  if (envelope === undefined) return { outcome: "not-ours" };
  if (bounce.envelopes.length > 1) return { outcome: "ambiguous" };
  const letter = await withStore(requireConfig(options), (store) =>
    store.bounceLetter(envelope, new Date(), bounce.detail),
  );
  if (letter === undefined) return { outcome: "not-ours" };
  return { outcome: letter.state === "bounced" ? "bounced" : "not-taken", letter };
}

function outcomeText(found: Outcome): string {
  switch (found.outcome) {
    case "bounced": {
      const { campaign, kind, to, detail } = found.letter;
      return `came back: ${kind} of ${printable(campaign)} to ${printable(to)}: ${printable(detail)}`;
    }
    case "not-taken":
      return "nothing noted: no mail server has taken the letter that the report names";
    case "no-report":
      return "nothing noted: the message is no delivery status notification";
    case "no-failure":
      return "nothing noted: the report says that mail is late or was delivered, not that it failed";
    case "not-ours":
      return "nothing noted: the report is about no letter of this store";
    case "ambiguous":
      return "nothing noted: the report names more than one letter";
  }
}

/** All of it is taken, so that the mail server sees no broken pipe; what is beyond the limit is dropped. */
async function readMessage(input: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let leftBytes = MESSAGE_LIMIT_BYTES;
  for await (const chunk of input) {
    if (!(chunk instanceof Uint8Array) || leftBytes === 0) continue;
    const kept = chunk.subarray(0, leftBytes);
    chunks.push(kept);
    leftBytes -= kept.length;
  }
  return Buffer.concat(chunks);
}

/** A mail server drops, or sends back, what fails for any other reason: a report would be lost by a fault of ours. */
async function handOverAgainUnless<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CommandFailed && error.exitCode !== 2) throw new CommandFailed(75, error.message);
    throw error;
  }
}
