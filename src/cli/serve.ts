/** `postern serve`: the program itself, until it is told to stop. */
import { startApp } from "../app.ts";
import type { App } from "../app.ts";
import { StoreUnusable } from "../store/store.ts";
import { createLog } from "../telemetry/log.ts";
import { requireConfig, requireSecret } from "./configuration.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { CommandFailed } from "./exit.ts";

/** How long requests under way get to end by themselves. Orchestrators kill after 30 s unless told otherwise. */
const stopGraceMs = 25_000;

export async function serve(options: ConfigurationOptions): Promise<void> {
  const config = requireConfig(options);
  const { secret, created } = requireSecret(config);
  const log = createLog({ level: config.log.level });
  if (created) log.warn("made a new installation secret; every node needs the same file", { file: config.secret.file });
  // Listened for before the program says that it listens: whoever reads that line may send a signal at once.
  const asked = stopSignal();
  const app = await start();
  process.stdout.write(`postern: mail ${app.mail.url}  admin ${app.admin.url}\n`);
  await asked;
  log.info("stopping");
  await app.stop(stopGraceMs);

  async function start(): Promise<App> {
    try {
      return await startApp(config, { log, secret });
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
