/** Two gates as processes of their own, for the measuring scripts. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "../test/support/eventually.ts";

export interface Gate {
  readonly mailUrl: string;
  readonly adminUrl: string;
  readonly child: ChildProcess;
}

interface GateOptions {
  readonly upstream: string;
  readonly redis: string;
  readonly connections: number;
  /** More lines of the configuration file. */
  readonly more?: string;
}

export const patienceMs = 60_000;
const program = path.join(fileURLToPath(new URL("../", import.meta.url)), "src/main.ts");
const environment = { PATH: process.env["PATH"], HOME: process.env["HOME"] };

/** @returns the path of a configuration file, which is gone with `opened`. */
export function configure(
  opened: AsyncDisposableStack,
  { upstream, redis, connections, more = "" }: GateOptions,
): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-measure-"));
  opened.defer(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, "postern.yaml");
  writeFileSync(
    file,
    `mail:
  listen: 127.0.0.1:0
  limits: { maxConnections: ${connections}, maxConnectionsPerAddress: ${connections} }
admin: { listen: "127.0.0.1:0" }
upstream: { url: "${upstream}" }
store: { redis: { url: "${redis}" } }
notice: { organisation: Example Ltd, from: { name: IT Security, address: it@corp.example } }
routes: [{ path: /Microsoft-Server-ActiveSync, protocol: activesync }]
log: { level: error }
${more}`,
  );
  return file;
}

export async function startGates(opened: AsyncDisposableStack, file: string): Promise<readonly [Gate, Gate]> {
  // One after the other: the first makes the secret, and both need the same.
  return [await startGate(opened, file), await startGate(opened, file)];
}

async function startGate(opened: AsyncDisposableStack, file: string): Promise<Gate> {
  const child = spawn(process.execPath, [program, "serve", "--config", file], {
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  opened.defer(() => void child.kill());
  process.on("exit", () => child.kill());
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  return eventually(() => {
    const found = /^postern: mail (\S+) {2}admin (\S+)\n/.exec(said);
    if (found === null) throw new Error(`the gate does not listen: ${said}`);
    return { mailUrl: found[1] ?? "", adminUrl: found[2] ?? "", child };
  }, patienceMs);
}

/** A command of the program, as an operator types it. */
export function startCommand(words: readonly string[]): ChildProcess {
  return spawn(process.execPath, [program, ...words], { env: environment, stdio: ["ignore", "pipe", "inherit"] });
}

/** How many requests wait at a gate, by its own count. */
export async function waitingAt(gate: Gate): Promise<number> {
  const metrics = await (await fetch(`${gate.adminUrl}/metrics`)).text();
  return Number(/^postern_waiting_requests (\d+)$/m.exec(metrics)?.[1]);
}
