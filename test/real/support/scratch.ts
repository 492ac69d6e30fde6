/** A fresh directory under /tmp with the daemons that work in it. They end with the test process, however that ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Account } from "./accounts.ts";
import { claimPort, type PortClaim } from "./ports.ts";

const READY_TIMEOUT_MS = 60_000;
const LOOK_EVERY_MS = 20;
const LOG_TAIL_CHARACTERS = 3000;

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  /** Whose rights it runs with; our own where it is not said. */
  readonly as?: Account | undefined;
  /** Inside the scratch directory, or it would outlive it. */
  readonly directory?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export interface DaemonCommand extends Command {
  readonly name: string;
  /** Asked again and again until it says yes. */
  isReady(): Promise<boolean>;
}

export interface Daemon {
  /** Asks it to end, and waits until it has. @returns its exit code; null where it had to be killed. */
  end(patienceMs: number): Promise<number | null>;
}

export interface Scratch {
  readonly directory: string;
  /** A free port, ours until close(). */
  claimPort(): Promise<number>;
  /** Starts a daemon and returns when it is ready. @throws with the end of its log when it ends before. */
  launch(daemon: DaemonCommand): Promise<Daemon>;
  /** Runs a program to its end. @throws with what it said when it fails. */
  run(command: Command, input?: string | Uint8Array): Promise<string>;
  /** What a daemon has said on its output. */
  output(daemonName: string): Promise<string>;
  /** Ends all daemons and removes the directory. */
  close(): Promise<void>;
}

/** @param kind part of the directory's name. Keep it short: a socket's path has room for 107 characters. */
export async function openScratch(kind: string): Promise<Scratch> {
  const directory = await mkdtemp(`/tmp/postern-${kind}-`);
  // The daemons' own users must be able to come in.
  await chmod(directory, 0o755);
  await mkdir(`${directory}/log`);
  await chmod(`${directory}/log`, 0o1777);
  const sweeper = await startSweeper(directory);
  const claims: PortClaim[] = [];
  const outputFile = (name: string) => `${directory}/log/${name}.out`;

  async function launch(daemon: DaemonCommand): Promise<Daemon> {
    const output = openSync(outputFile(daemon.name), "a");
    const child = spawn(daemon.command, daemon.args, { ...spawnOptions(daemon), stdio: ["ignore", output, output] });
    closeSync(output);
    // The test may end without us; then the sweeper does.
    child.unref();
    const { hasEnded, ended } = watchEnd(child);
    const giveUpAt = Date.now() + READY_TIMEOUT_MS;
    while (!(await daemon.isReady())) {
      if (hasEnded() || Date.now() > giveUpAt) throw await notReady(daemon.name, hasEnded());
      await setTimeout(LOOK_EVERY_MS);
    }
    // Somebody answered. It was not this daemon if it has ended.
    if (hasEnded()) throw await notReady(daemon.name, true);
    return {
      async end(patienceMs) {
        child.ref();
        child.kill("SIGTERM");
        const killing = AbortSignal.timeout(patienceMs);
        killing.addEventListener("abort", () => child.kill("SIGKILL"));
        return ended;
      },
    };
  }

  async function notReady(name: string, hasEnded: boolean): Promise<Error> {
    const tail = (await readFile(outputFile(name), "utf8")).slice(-LOG_TAIL_CHARACTERS);
    return new Error(`${name} ${hasEnded ? "ended early" : "did not come up"}:\n${tail}`);
  }

  async function run(command: Command, input?: string | Uint8Array): Promise<string> {
    const child = spawn(command.command, command.args, { ...spawnOptions(command), stdio: ["pipe", "pipe", "pipe"] });
    let output = "";
    let faults = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (faults += text));
    // A program that ends without reading its input has an exit code that says more than this error.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (code !== 0)
      throw new Error(`${command.command} ${command.args.join(" ")} ended with ${code}:\n${faults}${output}`);
    return output;
  }

  function spawnOptions({ as: account, directory: inside, env }: Command) {
    return {
      cwd: inside ?? directory,
      // Nothing of the tester's own settings; the daemons read a good deal of their environment.
      env: {
        PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        LC_ALL: "C.UTF-8",
        HOME: directory,
        ...env,
      },
      // Without a terminal, so that Ctrl-C ends the tests in order, and the sweeper knows it as ours.
      detached: true,
      ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
    };
  }

  return {
    directory,
    launch,
    run,
    async claimPort() {
      const claim = await claimPort();
      claims.push(claim);
      return claim.port;
    },
    output: (name) => readFile(outputFile(name), "utf8"),
    async close() {
      await sweeper.sweep();
      for (const claim of claims) claim.release();
    },
  };
}

function watchEnd(child: ChildProcess) {
  let isRunning = true;
  const ended = new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
    // A program that cannot be started at all has no exit.
    child.once("error", () => resolve(null));
  });
  void ended.then(() => (isRunning = false));
  return { ended, hasEnded: () => !isRunning };
}

async function startSweeper(directory: string): Promise<{ sweep(): Promise<void> }> {
  const program = fileURLToPath(new URL("sweeper.ts", import.meta.url));
  const child = spawn(process.execPath, [program, directory], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const isReady = await Promise.race([once(child.stdout, "data").then(() => true), ended.then(() => false)]);
  if (!isReady) throw new Error("the sweeper of the real servers did not start");
  child.stdout.destroy();
  child.unref();
  return {
    async sweep() {
      child.ref();
      child.stdin.end();
      const code = await ended;
      if (code !== 0) throw new Error(`something in ${directory} could not be ended`);
    },
  };
}
