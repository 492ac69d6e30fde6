/** Gates as processes of their own on one Redis, with a clock that the test sets for all of them. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("./gate-process.ts", import.meta.url));

export interface GateProcess {
  readonly mailUrl: string;
  readonly adminUrl: string;
}

export interface GateProcesses {
  readonly gates: readonly GateProcess[];
  /** Resolves when it is this time in all of them. */
  setClock(at: Date): Promise<void>;
  /** What time it is in them. */
  now(): Date;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** They end with the test. */
export async function startGates(t: TestContext, file: string, count: number, at: Date): Promise<GateProcesses> {
  const children = Array.from({ length: count }, (_, index) =>
    fork(program, [file, path.join(path.dirname(file), `gate-${index}.log`)], { execPath: process.execPath }),
  );
  for (const child of children) {
    running.add(child);
    child.once("exit", () => running.delete(child));
  }
  t.after(async () => {
    for (const child of children) {
      const gone = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
      child.kill("SIGKILL");
      await gone;
    }
  });
  const gates = await Promise.all(children.map(saysAddresses));
  let offsetMs = 0;
  async function setClock(moment: Date): Promise<void> {
    offsetMs = moment.getTime() - Date.now();
    await Promise.all(
      children.map(async (child) => {
        const answered = once(child, "message");
        child.send({ offsetMs });
        await answered;
      }),
    );
  }
  await setClock(at);
  return { gates, setClock, now: () => new Date(Date.now() + offsetMs) };
}

async function saysAddresses(child: ChildProcess): Promise<GateProcess> {
  const [message]: unknown[] = await once(child, "message");
  if (typeof message !== "object" || message === null || !("mail" in message) || !("admin" in message))
    throw new Error("a gate said something else than its addresses");
  return { mailUrl: String(message.mail), adminUrl: String(message.admin) };
}
