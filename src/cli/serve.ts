/** `postern serve`: the program itself, until it is told to stop. */
import { startApp } from "../app.ts";
import type { Config, Role } from "../config/config.ts";
import { StoreUnusable } from "../store/store.ts";
import { startSyncApp } from "../sync-app.ts";
import { createLog } from "../telemetry/log.ts";
import type { Log } from "../telemetry/log.ts";
import { requireConfig, requireSecret } from "./configuration.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { CommandFailed } from "./exit.ts";

/** How long requests under way get to end by themselves. Orchestrators kill after 30 s unless told otherwise. */
const stopGraceMs = 25_000;

export interface ServeOptions extends ConfigurationOptions {
  readonly role?: Role | undefined;
}

export async function serve(options: ServeOptions): Promise<void> {
  const config = requireConfig(options, options.role === undefined ? {} : { role: options.role });
  const { secret, created } = requireSecret(config);
  const log = createLog({ level: config.log.level });
  if (created) log.warn("made a new installation secret; every node needs the same file", { file: config.secret.file });
  // Listened for before the program says that it listens: whoever reads that line may send a signal at once.
  const asked = stopSignal();
  const program = await started(config, log, secret);
  process.stdout.write(`postern: ${program.says}\n`);
  await asked;
  log.info("stopping");
  await program.stop();
}

interface Program {
  /** Where it listens. */
  readonly says: string;
  stop(): Promise<void>;
}

async function started(config: Config, log: Log, secret: Uint8Array): Promise<Program> {
  try {
    return await (config.role === "sync" ? startedSync(config, log, secret) : startedGate(config, log, secret));
  } catch (error) {
    if (error instanceof StoreUnusable) throw new CommandFailed(3, error.message);
    if (
      error instanceof Error &&
      "code" in error &&
      (error.code === "EADDRINUSE" || error.code === "EACCES" || error.code === "EADDRNOTAVAIL")
    ) {
      throw new CommandFailed(1, `cannot listen: ${error.message}`);
    }
    throw error;
  }
}

async function startedGate(config: Config, log: Log, secret: Uint8Array): Promise<Program> {
  const app = await startApp(config, { log, secret });
  const inventory = app.inventory === undefined ? "" : `  inventory ${app.inventory.url}`;
  return { says: `mail ${app.mail.url}  admin ${app.admin.url}${inventory}`, stop: () => app.stop(stopGraceMs) };
}

async function startedSync(config: Config, log: Log, secret: Uint8Array): Promise<Program> {
  const app = await startSyncApp(config, { log, secret });
  const { admin, inventory } = app;
  const scheme = config.inventory.tls === undefined ? "http" : "https";
  const where = (name: string, { host, port }: typeof admin): string =>
    `${name}://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const listening = inventory === undefined ? "" : `  inventory ${where(scheme, inventory)}`;
  return { says: `admin ${where("http", admin)}${listening}`, stop: () => app.stop() };
}

/** The first signal ends with grace, the second at once. */
function stopSignal(): Promise<void> {
  const signals = ["SIGTERM", "SIGINT"] as const;
  return new Promise((resolve) => {
    let asked = false;
    const stop = (): void => {
      if (asked) process.exit(1);
      asked = true;
      resolve();
    };
    for (const signal of signals) process.on(signal, stop);
  });
}
