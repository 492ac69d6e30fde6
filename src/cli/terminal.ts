/** What commands print: plain where it is read by a program, coloured where a person looks at a terminal. */
import { styleText } from "node:util";
import { cellsOf } from "../phone/cells.ts";

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** For people beside what a program may read. */
export function warn(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** What is in a record came from a phone: nothing in it may steer a terminal. */
export function printable(value: string): string {
  return value.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, "�");
}

/** JSON for a program, which a person may look at in a terminal all the same: the same value, with such marks escaped. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replaceAll(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

type Tone = "good" | "bad" | "warning" | "quiet" | "strong";

const styles = { good: "green", bad: "red", warning: "yellow", quiet: "dim", strong: "bold" } as const;

/** Without colour where NO_COLOR says so, or where nobody looks: `styleText` knows. */
export function toned(tone: Tone, text: string): string {
  return styleText(styles[tone], text, { stream: process.stdout });
}

const units: readonly (readonly [unit: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
];

/** `3 h`, `2 d`: the largest unit of which there are at least two, so that nothing is off by half. */
export function spanText(ms: number): string {
  const [unit, size] = units.find(([, each]) => ms >= 2 * each) ?? ["s", 1_000];
  return `${Math.round(ms / size)} ${unit}`;
}

/** To the minute, in UTC: operators of one campaign sit in several zones. */
export function momentText(moment: Date): string {
  return `${moment.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** Columns as wide as what stands in them; the last one is not filled up. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === row.length - 1 ? cell : cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell))),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function widthOf(cell: string): number {
  return cellsOf(cell.replaceAll(/\u001b\[\d+m/g, ""));
}
