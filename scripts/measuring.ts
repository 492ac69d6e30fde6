/** What the measuring scripts share: quantiles, a bar on standard error, how a result is printed, and CPU seconds as Linux counts them. */
import { readFileSync } from "node:fs";
import os from "node:os";

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export function quantiles(list: readonly number[]): Quantiles {
  const ordered = list.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    rounded(ordered[Math.min(ordered.length - 1, Math.floor(share * ordered.length))] ?? 0);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

export function rounded(value: number): number {
  return Number(value.toFixed(1));
}

export function progress(what: string, done: number, all: number): void {
  if (!process.stderr.isTTY) return;
  const width = 30;
  const filled = Math.round((width * done) / all);
  process.stderr.write(`\r[${"#".repeat(filled)}${".".repeat(width - filled)}] ${done}/${all} ${what}\u001B[K`);
  if (what === "done") process.stderr.write("\n");
}

export function print(result: Readonly<Record<string, unknown>>, asJson: boolean): void {
  if (asJson) console.log(JSON.stringify(result, null, 2));
  else for (const [what, value] of Object.entries(result)) console.log(`${what}: ${JSON.stringify(value)}`);
}

export function machine(): string {
  return `${os.cpus().length} × ${os.cpus()[0]?.model ?? "unknown"}, Node ${process.versions.node}`;
}

export function load(): readonly number[] {
  return os.loadavg().map(rounded);
}

/** What `/proc/PID/stat` counts in is a hundredth of a second on every machine that Node runs on. */
const ticksPerSecond = 100;

/** User and system, of all its threads. NaN where there is no such process any more, or no `/proc`. */
export function cpuSeconds(pid: number): number {
  return statOf(pid, 11, 12);
}

/** The same of every process that this one has started and that has ended. */
export function cpuSecondsOfEnded(): number {
  return statOf("self", 13, 14);
}

/** Positions are those of proc(5) after the name, which may have spaces in it. */
function statOf(pid: number | "self", ...positions: readonly number[]): number {
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, "")
    .split(" ");
  return positions.reduce((sum, position) => sum + Number(fields[position] ?? NaN), 0) / ticksPerSecond;
}

/** The most memory that it has had so far. NaN as above. */
export function peakMebibytes(pid: number): number {
  return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? NaN) / 1024);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
