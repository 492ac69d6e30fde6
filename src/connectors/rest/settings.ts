/** What all connectors that call a system over HTTP read in the same way from their configuration. */
import type { RestSettings } from "./rest.ts";

/** The keys of `restKeys` in `config/connector-parts.ts`, as far as a client needs them. */
export interface RestConfig {
  readonly ca?: string | undefined;
  readonly timeoutSeconds: number;
  readonly concurrentRequests: number;
  readonly recordTo?: string | undefined;
}

export function restSettings(
  { ca, timeoutSeconds, concurrentRequests, recordTo }: RestConfig,
  baseUrl: URL,
): Omit<RestSettings, "headers"> {
  return { baseUrl, ca, timeoutMs: timeoutSeconds * 1000, concurrent: concurrentRequests, recordTo };
}
