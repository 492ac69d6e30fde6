/**
 * What is wrong with a configuration, where, in words for the person who wrote it. A fault never repeats a value: any
 * value may be a secret that was written in the wrong place, and the position already shows which one is meant.
 */

export type Path = readonly (string | number)[];

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units as editors count. */
  readonly column: number;
}

/** Where a value came from. */
export type Origin =
  | { readonly kind: "default" }
  /** `position` is undefined where the fault is the file itself. */
  | { readonly kind: "file"; readonly file: string; readonly position: Position | undefined }
  | { readonly kind: "environment"; readonly variable: string }
  | { readonly kind: "flag"; readonly flag: string }
  /** The policy in the store. */
  | { readonly kind: "store" };

export interface ConfigFault {
  readonly origin: Origin;
  /** `campaigns[0].require[0].absent.ios`; empty where the fault is no key's, such as broken YAML. */
  readonly path: string;
  readonly message: string;
}

/** More than these are counted, not printed: whoever passes the wrong file should still see its name. */
const FAULTS_SHOWN_LIMIT = 100;
/** More than these of one sort are not even looked for: the file is another one by mistake, or somebody's joke. */
export const FAULTS_LIMIT = 1000;

/** A key that is more than a word may be a value in the wrong place, so it is not repeated. */
const wordGrammar = /^[A-Za-z_][A-Za-z0-9_-]{0,39}$/;

export function formatPath(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += (text === "" ? "" : ".") + (wordGrammar.test(part) ? part : "…");
  }
  return text;
}

export function formatOrigin(origin: Origin): string {
  switch (origin.kind) {
    case "default":
      return "default";
    case "file": {
      const { file, position } = origin;
      return printable(position === undefined ? file : `${file}:${position.line}:${position.column}`);
    }
    case "environment":
      return printable(origin.variable);
    case "flag":
      return printable(origin.flag);
    case "store":
      return "store";
  }
}

export function formatFault({ origin, path, message }: ConfigFault): string {
  const where = origin.kind === "default" ? "" : formatOrigin(origin);
  const what = path === "" ? message : `${path}: ${message}`;
  return where === "" ? what : `${where} ${what}`;
}

/** What the terminal prints: one line for each fault, in the order of the file, then how many there are. */
export function formatFaults(faults: readonly ConfigFault[]): string {
  const lines = sortFaults(faults).slice(0, FAULTS_SHOWN_LIMIT).map(formatFault);
  if (faults.length > FAULTS_SHOWN_LIMIT) lines.push(`… and ${faults.length - FAULTS_SHOWN_LIMIT} more`);
  const count = `${faults.length}${faults.length < FAULTS_LIMIT ? "" : " or more"} fault${faults.length === 1 ? "" : "s"}`;
  return [...lines, `${count} in the configuration`, ""].join("\n");
}

const originOrder = { file: 0, environment: 1, flag: 2, default: 3, store: 4 } as const;

/** By place, each fault once: two checks may find the same thing. */
export function sortFaults(faults: readonly ConfigFault[]): ConfigFault[] {
  const unique = new Map(faults.map((fault) => [JSON.stringify(fault), fault]));
  return [...unique.values()].toSorted((a, b) => {
    const byKind = originOrder[a.origin.kind] - originOrder[b.origin.kind];
    return byKind || byPosition(a.origin, b.origin) || compare(a.path, b.path) || compare(a.message, b.message);
  });
}

function byPosition(a: Origin, b: Origin): number {
  if (a.kind !== "file" || b.kind !== "file") return compare(formatOrigin(a), formatOrigin(b));
  const [one, other] = [a.position, b.position];
  if (one === undefined || other === undefined) return (one === undefined ? 0 : 1) - (other === undefined ? 0 : 1);
  return one.line - other.line || one.column - other.column;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** A file name or a variable may hold what a terminal would obey. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, "?");
}
