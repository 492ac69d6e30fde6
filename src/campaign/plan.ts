/** What an act would change, before it is done: campaigns and exemptions as they were written, line by line. */
import { writePolicyText } from "../config/policy-document.ts";
import type { WrittenPolicy } from "../config/policy-document.ts";
import { idOf } from "./ledger.ts";

export interface PlanEntry {
  readonly kind: "campaign" | "exemption";
  readonly id: string;
  readonly change: "added" | "changed" | "removed";
  /** Every line of the entry, as it is and as it will be. */
  readonly lines: readonly PlanLine[];
}

export interface PlanLine {
  readonly side: "same" | "added" | "removed";
  readonly text: string;
}

/** Entries that stay as they are do not stand in it. */
export function planOf(before: WrittenPolicy, after: WrittenPolicy): readonly PlanEntry[] {
  return [
    ...entriesOf("campaign", before.campaigns, after.campaigns),
    ...entriesOf("exemption", before.exemptions, after.exemptions),
  ];
}

function entriesOf(kind: PlanEntry["kind"], before: readonly unknown[], after: readonly unknown[]): PlanEntry[] {
  const [old, next] = [byId(before), byId(after)];
  const ids = [...new Set([...next.keys(), ...old.keys()])];
  return ids.flatMap((id): PlanEntry[] => {
    const [was, will] = [old.get(id), next.get(id)];
    if (was === will) return [];
    const lines = diffLines(linesOf(was), linesOf(will));
    return [{ kind, id, change: was === undefined ? "added" : will === undefined ? "removed" : "changed", lines }];
  });
}

function byId(entries: readonly unknown[]): ReadonlyMap<string, string> {
  return new Map(entries.map((entry) => [idOf(entry), writePolicyText(entry)]));
}

function linesOf(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.trimEnd().split("\n");
}

/** Beyond it the middle is shown as taken out and put in: nobody compares so many lines by eye. */
const DIFF_LINES_LIMIT = 2_000;

/** The longest common lines stay; what is left over was removed or added. */
export function diffLines(before: readonly string[], after: readonly string[]): readonly PlanLine[] {
  const same = (text: string): PlanLine => ({ side: "same", text });
  const removed = (text: string): PlanLine => ({ side: "removed", text });
  const added = (text: string): PlanLine => ({ side: "added", text });
  if (before.length > DIFF_LINES_LIMIT || after.length > DIFF_LINES_LIMIT)
    return [...before.map(removed), ...after.map(added)];

  // lengths[i][j]: how many lines are common behind line i of before and line j of after.
  const lengths = Array.from({ length: before.length + 1 }, () => new Uint16Array(after.length + 1));
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      const row = lengths[i];
      if (row !== undefined)
        row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: PlanLine[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const [was, will] = [before[i], after[j]];
    if (was === undefined && will === undefined) return lines;
    if (was !== undefined && was === will) {
      lines.push(same(was));
      i += 1;
      j += 1;
    } else if (was !== undefined && (will === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push(removed(was));
      i += 1;
    } else if (will !== undefined) {
      lines.push(added(will));
      j += 1;
    }
  }
}
