/** `postern token create`: a token for a script, from the secret that every node of the installation has. */
import { hkdfSync } from "node:crypto";
import { signLocalToken, TOKEN_LIFE_LIMIT_SECONDS } from "../admin/token.ts";
import type { AdminRole as Role } from "../config/admin-roles.ts";
import { readInstallationSecret } from "../config/secret.ts";
import { LOCAL_TOKEN_PURPOSE } from "../parts.ts";
import { requireConfig } from "./configuration.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { CommandFailed } from "./exit.ts";
import { print } from "./terminal.ts";

export interface TokenCommandOptions extends ConfigurationOptions {
  readonly role: Role;
  readonly for: string;
  readonly hours: number;
}

export const TOKEN_LIFE_LIMIT_HOURS = TOKEN_LIFE_LIMIT_SECONDS / 3600;

/** Prints the token, and nothing else. */
export function tokenCreate(options: TokenCommandOptions): void {
  const { role, for: name, hours } = options;
  if (hours < 1 || hours > TOKEN_LIFE_LIMIT_HOURS)
    throw new CommandFailed(2, `--hours must be 1 to ${TOKEN_LIFE_LIMIT_HOURS}`);
  const { admin, secret: place } = requireConfig(options);
  if (!admin.access.localTokens)
    throw new CommandFailed(3, "such tokens do not count: set admin.access.localTokens to true first");
  // Not made here: a secret of its own would sign what no gate believes.
  const secret = readInstallationSecret(place.file);
  if (secret?.ok !== true)
    throw new CommandFailed(
      3,
      `secret.file ${place.file} ${secret?.problem ?? "is not there yet; start the gate first"}`,
    );
  const key = new Uint8Array(hkdfSync("sha256", secret.value.reveal(), "", `postern ${LOCAL_TOKEN_PURPOSE}`, 32));
  try {
    print(signLocalToken({ secret: key, role, name, seconds: hours * 3600 }));
  } catch (error) {
    if (error instanceof RangeError) throw new CommandFailed(2, `--for: ${error.message}`);
    throw error;
  }
}
