/** A Redis of the test's own: on a free port, in a folder of its own, ended by its process id. */
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { requirePackage } from "./debian.ts";
import { eventually } from "./eventually.ts";

export interface RedisServer {
  readonly port: number;
  readonly folder: string;
  readonly url: string;
  readonly socketUrl: string;
  /** Runs redis-cli, as a script of an operator would, and returns what it prints. */
  cli(...command: string[]): Promise<string>;
  /** Stops the process without ending it: connections stay open and nobody answers. */
  pause(): void;
  resume(): void;
  /** Ends it without a goodbye. */
  kill(): Promise<void>;
  /** Starts it again on the same port after `kill`. */
  start(...extraArguments: string[]): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

const run = promisify(execFile);
const running = new Map<ChildProcess, string>();

// A test that fails half-way must leave neither servers nor folders behind; a paused server ends on SIGKILL only.
process.on("exit", () => {
  for (const [child, folder] of running) {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});

export async function startRedis(...serverArguments: string[]): Promise<RedisServer> {
  const binary = await requirePackage("redis-server", "redis-server");
  const cliBinary = await requirePackage("redis-tools", "redis-cli");
  const folder = await mkdtemp(path.join(tmpdir(), "postern-redis-"));
  const socket = path.join(folder, "redis.sock");
  const port = await freePort();
  let child: ChildProcess | undefined;

  async function cli(...command: string[]): Promise<string> {
    const { stdout } = await run(cliBinary, ["-s", socket, "-e", ...command]);
    return stdout.trim();
  }

  async function start(...extraArguments: string[]): Promise<void> {
    const fixed = ["--port", String(port), "--bind", "127.0.0.1", "--unixsocket", socket, "--dir", folder];
    const volatile = ["--save", "", "--appendonly", "no", "--enable-debug-command", "local"];
    const started = spawn(binary, [...fixed, ...volatile, ...serverArguments, ...extraArguments], { stdio: "ignore" });
    child = started;
    running.set(started, folder);
    started.once("exit", () => running.delete(started));
    await eventually(async () => {
      if (started.exitCode !== null) throw new Error(`redis-server ended with ${started.exitCode}`);
      await run(cliBinary, ["-s", socket, "ping"]);
    });
  }

  async function kill(): Promise<void> {
    if (child === undefined || !running.has(child)) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  await start();
  return {
    port,
    folder,
    url: `redis://127.0.0.1:${port}/0`,
    socketUrl: `unix://${socket}`,
    cli,
    pause: () => child?.kill("SIGSTOP"),
    resume: () => child?.kill("SIGCONT"),
    kill,
    start,
    async stop(): Promise<void> {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
