/** `postern campaign letters`: who was told, and whom no letter reached. */
import { runOf } from "../campaign/ledger.ts";
import { isInFile } from "../campaign/live-policy.ts";
import { grouped } from "../campaign/guard.ts";
import { letterKinds, letterStates } from "../store/store.ts";
import type { LetterEntry } from "../store/store.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { withLedger } from "./policy-command.ts";
import { jsonText, momentText, print, printable, table, toned } from "./terminal.ts";

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
    print(countsText([...letters.values()]));
    const missing = [...letters.values()].filter(({ state }) => state !== "sent" && state !== "covered");
    if (missing.length > 0) print(`\n${missingText(missing)}`);
  });
}

/** In the order in which letters follow each other, and the states as they get worse. */
function countsText(letters: readonly LetterEntry[]): string {
  const rows = letterKinds.flatMap((kind) => {
    const own = letterStates
      .map((state) => [state, letters.filter((each) => each.kind === kind && each.state === state).length] as const)
      .filter(([, count]) => count > 0);
    return own.map(([state, count], index) => [index === 0 ? kind : "", state, grouped(count).padStart(7)]);
  });
  return table([["letter", "state", "letters"].map(strong), ...rows]);
}

function missingText(letters: readonly LetterEntry[]): string {
  const rows = letters
    .toSorted((a, b) => a.at.getTime() - b.at.getTime())
    .slice(0, LISTED_LIMIT)
    .map(({ device, to, kind, state, at, detail }) => [
      `  ${device}`,
      printable(to),
      kind,
      state,
      momentText(at),
      printable(detail),
    ]);
  const more = letters.length - rows.length;
  return [
    toned("strong", "Not delivered"),
    table([["  device", "to", "letter", "state", "when", "what the mail server said"].map(quiet), ...rows]),
    ...(more > 0 ? [toned("quiet", `  … and ${grouped(more)} more in --json`)] : []),
  ].join("\n");
}

function strong(text: string): string {
  return toned("strong", text);
}

function quiet(text: string): string {
  return toned("quiet", text);
}
