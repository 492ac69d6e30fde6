/** `postern health`: asks a running gate whether it should get requests, as a container's health check does. */
import { requireConfig } from "./configuration.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { CommandFailed } from "./exit.ts";

const timeoutMs = 3000;

export async function health(options: ConfigurationOptions & { readonly url?: string | undefined }): Promise<void> {
  const url = options.url ?? adminUrl(options);
  let answer: Response;
  try {
    answer = await fetch(new URL("/readyz", url), { signal: AbortSignal.timeout(timeoutMs) });
  } catch {
    throw new CommandFailed(4, `nothing answers at ${url}`);
  }
  const text = await answer.text();
  if (!answer.ok) throw new CommandFailed(1, text.trim());
  process.stdout.write(`${text.trim()}\n`);
}

function adminUrl(options: ConfigurationOptions): string {
  const { host, port } = requireConfig(options).admin.listen;
  if (port === 0) throw new CommandFailed(2, "admin.listen has no fixed port; say where it listens with --url");
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
