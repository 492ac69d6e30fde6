/** A preview for somebody who is about to decide: who is hit, how many, and when, within 80 columns. */
import type { NamedFigures } from "../campaign/bounded-counts.ts";
import { checkGuard, grouped, percent } from "../campaign/guard.ts";
import { stanceNames } from "../campaign/preview-result.ts";
import type { DeadlineFigures, ImportantPhone, Preview } from "../campaign/preview-result.ts";
import { momentText, printable, table, toned } from "./terminal.ts";

/** Rows of one table; `--json` has all of them. */
const ROWS_SHOWN_LIMIT = 12;
const NAME_LIMIT_CHARACTERS = 26;
const BAR_CHARACTERS = 20;

export function previewText(preview: Preview): string {
  const parts = [
    headText(preview),
    totalsText(preview),
    deadlinesText(preview),
    wavesText(preview),
    figuresText("region", preview.regions),
    figuresText("platform", preview.platforms),
    figuresText("group", preview.groups),
    figuresText("system", preview.systems),
    stancesText(preview),
    trafficText(preview),
    importantText(preview),
    guardText(preview),
  ];
  return parts.filter((part) => part !== undefined).join("\n\n");
}

function headText({ campaign, title, mode, records, concerned }: Preview): string {
  const modes = {
    enforce: [],
    shadow: [toned("quiet", "It only looks on. This is what it would do if it were enforced.")],
    paused: [toned("quiet", "It is paused, and does nothing.")],
    retracted: [toned("quiet", "It is retracted, and does nothing.")],
  };
  return [
    toned("strong", `${campaign}: ${printable(title)}`),
    ...modes[mode],
    `${grouped(records)} devices have a record, ${grouped(concerned)} phones are concerned.`,
  ].join("\n");
}

function totalsText(preview: Preview): string {
  const { concerned, clean, warned, cut, cutNow, newlyCut, excused, held, warnedNow } = preview;
  const rows = [
    totalRow("clean already", clean, concerned),
    totalRow("told only, mail flows", warned, concerned),
    totalRow("cut", cut, concerned),
    totalRow("excused", excused, concerned),
    totalRow("held anyway", held, concerned),
  ];
  const lines = [
    table(rows),
    "",
    `Cut at once ${strongNumber(cutNow)}, at a deadline ${strongNumber(cut - cutNow)}. Told now: ${grouped(warnedNow)}.`,
    `Of the phones that are cut, ${strongNumber(newlyCut)} read mail today.`,
  ];
  return lines.join("\n");
}

function totalRow(name: string, number: number, all: number): string[] {
  const share = all === 0 ? 0 : number / all;
  const bar = "█".repeat(number === 0 ? 0 : Math.max(1, Math.round(share * BAR_CHARACTERS)));
  return [
    `  ${name}`,
    grouped(number).padStart(11),
    percent(share).padStart(5),
    toned(name === "cut" ? "bad" : "quiet", bar),
  ];
}

function strongNumber(number: number): string {
  return toned("strong", grouped(number));
}

/** Many deadlines, as the clocks of many owners make them, are told by the wave. */
function deadlinesText({ deadlines, graced, waves }: Preview): string | undefined {
  if (deadlines.length + graced === 0) return undefined;
  const isFew = deadlines.length <= ROWS_SHOWN_LIMIT;
  const rows = isFew
    ? deadlines.map(deadlineRow)
    : waves
        .filter(({ first }) => first !== undefined)
        .map(({ name, first, last, cut }) => [
          `  ${name}`,
          `${stopText(first)} to ${stopText(last)}`,
          grouped(cut).padStart(11),
        ]);
  if (graced > 0)
    rows.push([...(isFew ? [] : [""]), "  enrolled lately, each with its own time", grouped(graced).padStart(11)]);
  return `${toned("strong", "When mail stops")}\n${table(rows)}`;
}

function deadlineRow({ from, cut }: DeadlineFigures): string[] {
  return [`  ${stopText(from)}`, grouped(cut).padStart(11)];
}

function stopText(iso: string | undefined): string {
  return iso === undefined ? "at once" : momentText(new Date(iso));
}

function wavesText({ waves }: Preview): string | undefined {
  return waves.length < 2 ? undefined : figuresText("wave", waves);
}

function figuresText(title: string, figures: readonly NamedFigures[]): string | undefined {
  if (figures.length === 0 || (figures.length === 1 && figures[0]?.name === "not said")) return undefined;
  const shown = figures.slice(0, ROWS_SHOWN_LIMIT);
  const rows = shown.map(({ name, concerned, clean, warned, cut }) =>
    figureRow(`  ${shortened(name)}`, [concerned, clean, warned, cut].map(grouped)),
  );
  const more = figures.length - shown.length;
  return [
    table([figureRow(toned("strong", `By ${title}`), ["concerned", "clean", "told", "cut"]), ...rows]),
    ...(more > 0 ? [toned("quiet", `  … and ${more} more in --json`)] : []),
  ].join("\n");
}

function figureRow(name: string, cells: readonly string[]): string[] {
  return [name, ...cells.map((cell) => cell.padStart(10))];
}

function shortened(name: string): string {
  const plain = printable(name);
  return plain.length > NAME_LIMIT_CHARACTERS ? `${plain.slice(0, NAME_LIMIT_CHARACTERS - 1)}…` : plain;
}

const stanceWords = {
  "not-enrolled": "no source knows them",
  stale: "report too old",
  uninspectable: "cannot be inspected",
  unknown: "record cannot be read",
} as const;

function stancesText({ stances }: Preview): string | undefined {
  const rows = stanceNames
    .filter((name) => stances[name].devices > 0)
    .map((name) => {
      const { devices, warned, cut } = stances[name];
      return figureRow(`  ${stanceWords[name]} (${name})`, [devices, warned, cut].map(grouped));
    });
  if (rows.length === 0) return undefined;
  return table([figureRow(toned("strong", "Nobody can tell"), ["phones", "told", "cut"]), ...rows]);
}

function trafficText({ traffic }: Preview): string {
  const { seen, isComplete, concerned, cut, strangers, strangersCut } = traffic;
  return [
    toned("strong", "The last hour at the gates"),
    `  ${isComplete ? "" : "at least "}${grouped(seen)} active: ${grouped(concerned)} concerned, ${grouped(cut)} of them cut`,
    `  ${grouped(strangers)} known to no source: ${grouped(strangersCut)} of them cut`,
  ].join("\n");
}

export function importantText({
  important,
  importantMore,
}: Pick<Preview, "important" | "importantMore">): string | undefined {
  if (important.length === 0) return undefined;
  const shown = important.slice(0, ROWS_SHOWN_LIMIT);
  const more = important.length - shown.length + importantMore;
  return [
    toned("strong", "Important people"),
    table(shown.map(importantRow)),
    ...(more > 0 ? [toned("quiet", `  … and ${more} more in --json and --csv`)] : []),
  ].join("\n");
}

function importantRow({ owner, device, effect, from, reason }: ImportantPhone): string[] {
  const when = effect !== "cut" ? effect : toned("bad", `cut ${from === undefined ? "at once" : stopText(from)}`);
  return [`  ${shortened(owner)}`, device.length > 14 ? `${device.slice(0, 13)}…` : device, when, reason];
}

function guardText(preview: Preview): string | undefined {
  const check = checkGuard(preview);
  if (preview.guard === undefined) return toned("quiet", "No guard: nothing keeps it from cutting more than this.");
  if (check.kind === "within") return toned("good", "Within its guard.");
  return toned("bad", `More than its guard allows: applying it needs --confirm ${check.cut}.`);
}
