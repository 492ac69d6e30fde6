/** The real program as a process of its own, in front of a real server, with a Redis that nobody else uses. */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type RedisServer, startRedis } from "../../support/redis-server.ts";
import { openScratch, type Scratch } from "./scratch.ts";

/** Longer than the gate gives its requests to end; what is still there then has hung. */
const DRAIN_PATIENCE_MS = 30_000;

/** The one line by which it says that it listens. */
const READY_LINE = /^postern: mail (?<mail>\S+) +admin (?<admin>\S+)$/m;

export interface GateOptions {
  /** The mail server behind it, without a trailing slash. */
  readonly upstreamUrl: string;
  /** YAML that is put at the end of the configuration, such as `campaigns:` with a list. */
  readonly moreConfig?: string;
  /** Another node of the same installation: one Redis and one secret are shared with it. */
  readonly beside?: Gate;
}

export interface Gate {
  /** Without a trailing slash, like the other one. */
  readonly mailUrl: string;
  readonly adminUrl: string;
  /** Its `cli` is the hand of the operator. */
  readonly redis: RedisServer;
  readonly secretFile: string;
  /** Everything the program has said. */
  output(): Promise<string>;
  /** Ends it in order. @throws where it had to be killed or did not end well. */
  stop(): Promise<void>;
}

export async function startGate(options: GateOptions): Promise<Gate> {
  const scratch = await openScratch("gate");
  // It works in our directory, so that it ends with us even when the test process is killed.
  const redis = options.beside?.redis ?? (await startRedis("--dir", scratch.directory));
  const end = async (): Promise<void> => {
    if (options.beside === undefined) await redis.stop();
    await scratch.close();
  };
  try {
    return await startProgram(scratch, redis, options, end);
  } catch (error) {
    await end();
    throw error;
  }
}

async function startProgram(
  scratch: Scratch,
  redis: RedisServer,
  { upstreamUrl, moreConfig = "", beside }: GateOptions,
  end: () => Promise<void>,
): Promise<Gate> {
  const configFile = `${scratch.directory}/postern.yaml`;
  const secretFile = beside?.secretFile ?? `${scratch.directory}/secret`;
  await writeFile(configFile, configuration(secretFile, upstreamUrl, redis.url) + moreConfig);
  const program = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));
  const daemon = await scratch.launch({
    name: "postern",
    command: process.execPath,
    args: [program, "serve", "--config", configFile],
    isReady: async () => READY_LINE.test(await scratch.output("postern")),
  });
  const { mail: mailUrl, admin: adminUrl } = READY_LINE.exec(await scratch.output("postern"))?.groups ?? {};
  if (mailUrl === undefined || adminUrl === undefined) throw new Error("the gate did not say where it listens");

  return {
    mailUrl,
    adminUrl,
    redis,
    secretFile,
    output: () => scratch.output("postern"),
    async stop() {
      const exitCode = await daemon.end(DRAIN_PATIENCE_MS);
      const said = await scratch.output("postern");
      await end();
      if (exitCode !== 0) throw new Error(`the gate ended with ${exitCode ?? "a signal"}:\n${said.slice(-3000)}`);
    },
  };
}

function configuration(secretFile: string, upstreamUrl: string, redisUrl: string): string {
  return `
mail: { listen: 127.0.0.1:0 }
admin: { listen: 127.0.0.1:0 }
upstream: { url: ${upstreamUrl} }
store: { redis: ${redisUrl} }
secret: { file: ${secretFile} }
identity: { domains: [postern.test] }
notice:
  organisation: Example Corporation
  from: { name: Company IT, address: it@postern.test }
`;
}
