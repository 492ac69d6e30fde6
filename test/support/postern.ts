/** The program as a process of its own, as an operator starts it. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import path from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.ts";

export const repository = fileURLToPath(new URL("../../", import.meta.url));
export const program = path.join(repository, "src/main.ts");
/** Most of a short command's time is Node's, which reads the same sources each time. */
const compileCache = path.join(repository, "node_modules/.cache/compile");
/** Two cores may be shared by ten of these. */
const PATIENCE_MS = 30_000;
/** What has not ended by then has hung; it is killed, and the test sees no exit code. */
const LIFE_LIMIT_MS = 60_000;

export interface Finished {
  /** Undefined where a signal ended it. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  /** Resolves with the match as soon as standard output has it. @throws where the program ends without it. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
  readonly finished: Promise<Finished>;
}

export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** For what has to live longer than a test of one thing. */
  readonly lifeLimitMs?: number;
  /** Something else than `node src/main.ts`. */
  readonly command?: readonly [string, ...string[]];
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export function startPostern(t: TestContext, args: readonly string[], options: ProcessOptions = {}): Running {
  const [command, ...first] = options.command ?? [process.execPath, program];
  const child = spawn(command, [...first, ...args], {
    cwd: options.cwd ?? repository,
    // Nothing of whoever runs the tests: POSTERN_… would be configuration, and npm's own variables change what is said.
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      NODE_COMPILE_CACHE: compileCache,
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  let ended = false;
  const limit = setTimeout(() => child.kill("SIGKILL"), options.lifeLimitMs ?? LIFE_LIMIT_MS);
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      ended = true;
      clearTimeout(limit);
      running.delete(child);
      resolve({ exitCode: code ?? undefined, stdout, stderr });
    });
  });
  t.after(async () => {
    child.kill("SIGKILL");
    await finished;
  });
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    async says(pattern): Promise<RegExpExecArray> {
      const match = await eventually(() => {
        const found = pattern.exec(stdout);
        if (found === null && !ended) throw new Error(`not said: ${pattern}\n${stdout}${stderr}`);
        return found;
      }, PATIENCE_MS);
      if (match === null) throw new Error(`ended without ${pattern}:\n${stdout}${stderr}`);
      return match;
    },
    signal: (name) => child.kill(name),
    finished,
  };
}

export function postern(t: TestContext, args: readonly string[], options?: ProcessOptions): Promise<Finished> {
  return startPostern(t, args, options).finished;
}

export interface Serving extends Running {
  readonly mailUrl: string;
  readonly adminUrl: string;
}

/** Resolves when the gate says that it listens. */
export async function serving(t: TestContext, args: readonly string[], options?: ProcessOptions): Promise<Serving> {
  const gate = startPostern(t, ["serve", ...args], options);
  const { groups } = await gate.says(/^postern: mail (?<mail>\S+) {2}admin (?<admin>\S+)\n/);
  return { ...gate, mailUrl: groups?.["mail"] ?? "", adminUrl: groups?.["admin"] ?? "" };
}
