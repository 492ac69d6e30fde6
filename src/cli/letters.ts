/** `postern campaign letters`: who was told, and whom no letter reached. */
import { runOf } from "../letters/run.ts";
import type { LetterEntry } from "../store/store.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { withLedger } from "./policy-command.ts";
import { momentText, print, printable, table } from "./terminal.ts";

/** Letters that did not arrive are listed one by one; more than these are counted. */
const LISTED_LIMIT = 50;

export async function campaignLetters(
  id: string,
  options: ConfigurationOptions & { readonly json?: boolean },
): Promise<void> {
  await withLedger(options, async ({ store, ledger }) => {
    const run = runOf(await ledger.history(Number.MAX_SAFE_INTEGER), id);
    const counts = new Map<string, number>();
    const missing: LetterEntry[] = [];
    for await (const letter of store.letters(id, run)) {
      if (options.json === true) print(JSON.stringify(letter));
      const key = `${letter.kind} ${letter.state}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
      if (letter.state !== "sent" && letter.kind !== "reminder" && missing.length < LISTED_LIMIT) missing.push(letter);
    }
    if (options.json === true) return;
    if (counts.size === 0) return print(`nobody has had a letter about ${printable(id)}`);
    print(
      table([
        ["letter", "state", "number"],
        ...[...counts].toSorted().map(([key, count]) => [...key.split(" "), String(count)]),
      ]),
    );
    if (missing.length === 0) return;
    print("");
    print(
      table(
        missing.map(({ device, kind, state, at, detail }) => [device, kind, state, momentText(at), printable(detail)]),
      ),
    );
  });
}
