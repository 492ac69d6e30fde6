/** What every command that needs the configuration does first: load it whole, or say everything that is wrong with it. */
import type { Config } from "../config/config.ts";
import type { Flags } from "../config/sources.ts";
import { formatFaults } from "../config/fault.ts";
import { loadConfig } from "../config/load.ts";
import { openInstallationSecret } from "../config/secret.ts";
import { CommandFailed } from "./exit.ts";

export interface ConfigurationOptions {
  readonly config?: string | undefined;
}

/** @throws CommandFailed with exit code 3 and one line for each fault. */
export function requireConfig({ config: file }: ConfigurationOptions, flags: Flags = {}): Config {
  const loaded = loadConfig({ file, env: { ...process.env }, flags });
  if (!loaded.ok) throw new CommandFailed(3, formatFaults(loaded.faults));
  return loaded.config;
}

/** @throws CommandFailed with exit code 3. */
export function requireSecret({ secret }: Config): { readonly secret: Uint8Array; readonly created: boolean } {
  const opened = openInstallationSecret(secret.file);
  if (!opened.ok) throw new CommandFailed(3, `secret.file ${secret.file} ${opened.problem}`);
  return { secret: opened.value.secret.reveal(), created: opened.value.created };
}
