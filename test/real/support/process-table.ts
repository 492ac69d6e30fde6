/** The processes of this machine, as /proc shows them. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A number alone is given to another process later; number and start time together are not. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
}

interface ProcessStat {
  readonly state: string;
  readonly terminal: string;
  readonly startTime: string;
}

/**
 * Everything that works inside of a directory, whatever became of its parents. Daemons leave their parent, their process
 * group and their session behind, but they keep a working directory, and nobody else works in a fresh one of ours.
 */
export function processesIn(directory: string): ProcessIdentity[] {
  const found: ProcessIdentity[] = [];
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const pid = Number(entry);
    if (pid === process.pid || !worksIn(pid, directory)) continue;
    const stat = readStat(pid);
    // Daemons have no terminal. Whoever has one is somebody at a shell who looks at what is in the directory.
    if (stat === undefined || stat.terminal !== "0") continue;
    found.push({ pid, startTime: stat.startTime });
  }
  return found;
}

export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  return readStat(pid)?.startTime === startTime;
}

/** Signals the process unless it has gone, even if another one has its number now. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch {
    // It ended between the two lines, which is what was wanted.
  }
}

function worksIn(pid: number, directory: string): boolean {
  try {
    const workingDirectory = readlinkSync(`/proc/${pid}/cwd`);
    return workingDirectory === directory || workingDirectory.startsWith(`${directory}/`);
  } catch {
    return false;
  }
}

/** Undefined for a process that is gone, or has ended and only waits to be counted by its parent. */
function readStat(pid: number): ProcessStat | undefined {
  let text;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The second field is the program's name in brackets, and may itself hold brackets and spaces (proc(5)).
  const [state, , , , terminal, ...rest] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const startTime = rest[14];
  if (state === undefined || terminal === undefined || startTime === undefined) return undefined;
  return state === "Z" || state === "X" ? undefined : { state, terminal, startTime };
}
