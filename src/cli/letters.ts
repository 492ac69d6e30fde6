/** `postern campaign letters`: who was told, and whom no letter reached. */
import { runOf } from "../campaign/ledger.ts";
import { isInFile } from "../campaign/live-policy.ts";
import type { LetterEntry } from "../store/store.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { withLedger } from "./policy-command.ts";
import { jsonText, momentText, print, printable, table } from "./terminal.ts";

/** Letters that did not arrive are listed one by one; more than these are counted. */
const LISTED_LIMIT = 50;

export async function campaignLetters(
  id: string,
  options: ConfigurationOptions & { readonly json?: boolean },
): Promise<void> {
  await withLedger(options, async ({ config, store }) => {
    const runs = isInFile(config.policy) ? {} : ((await store.readPolicy())?.runs ?? {});
    const letters = new Map<string, LetterEntry>();
    for await (const letter of store.letters(id, runOf(runs, id))) {
      // The last attempt is what became of a letter; those before it were postponed.
      const key = `${letter.device} ${letter.kind} ${letter.number}`;
      const known = letters.get(key);
      if (known === undefined || known.attempt <= letter.attempt) letters.set(key, letter);
    }
    if (options.json === true) {
      for (const letter of letters.values()) print(jsonText(letter));
      return;
    }
    if (letters.size === 0) return print(`nobody has had a letter about ${printable(id)}`);
    const counts = new Map<string, number>();
    for (const { kind, state } of letters.values())
      counts.set(`${kind} ${state}`, (counts.get(`${kind} ${state}`) ?? 0) + 1);
    const rows = [...counts].map(([key, count]) => key.split(" ").concat(String(count)));
    rows.sort(([a = ""], [b = ""]) => a.localeCompare(b, "en"));
    print(table([["letter", "state", "number"], ...rows]));
    const missing = [...letters.values()].filter(({ kind, state }) => state !== "sent" && kind !== "reminder");
    if (missing.length === 0) return;
    print("");
    print(
      table(
        missing
          .slice(0, LISTED_LIMIT)
          .map(({ device, to, kind, state, at, detail }) => [
            device,
            printable(to),
            kind,
            state,
            momentText(at),
            printable(detail),
          ]),
      ),
    );
  });
}
