/**
 * A program of its own: `node sweeper.ts DIRECTORY`. It waits until its standard input closes, which also happens when the
 * test process is killed, then ends every process that works in the directory and removes it. There is no other way in which
 * the real servers end, so the way that matters most is the one that every run takes.
 */
import { rm } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { isAlive, type ProcessIdentity, processesIn, signal } from "./process-table.ts";

// SOGo does not end for a polite signal, and what the others would still write is removed anyway.
const PATIENCE_MS = 500;
const GIVE_UP_MS = 20_000;
const LOOK_EVERY_MS = 25;

const directory = process.argv[2];
if (directory === undefined || !/^\/tmp\/postern-[A-Za-z0-9.-]+$/.test(directory)) {
  throw new Error(`not a scratch directory: ${directory}`);
}

// Whoever stops a whole process group means the tests; the servers are ended here all the same.
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] satisfies NodeJS.Signals[]) process.on(name, () => undefined);

process.stdout.write("ready\n");
process.stdin.resume();
process.stdin.once("close", () => void sweep(directory));

async function sweep(directory: string): Promise<void> {
  const startedAt = Date.now();
  const known = new Map<string, ProcessIdentity>();
  let left = look();
  for (const identity of left) signal(identity, "SIGTERM");
  while (left.length > 0 && Date.now() - startedAt < GIVE_UP_MS) {
    await setTimeout(LOOK_EVERY_MS);
    left = look();
    if (Date.now() - startedAt < PATIENCE_MS) continue;
    for (const identity of left) signal(identity, "SIGKILL");
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  process.exit(left.length === 0 ? 0 : 1);

  /** An ending process loses its directory some time before it is gone, so whoever was seen once is looked for by number. */
  function look(): ProcessIdentity[] {
    for (const identity of processesIn(directory)) known.set(`${identity.pid} ${identity.startTime}`, identity);
    return [...known.values()].filter(isAlive);
  }
}
