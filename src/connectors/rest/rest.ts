/** A client with everything that each connector's configuration says about its server. */
import type { Admission } from "./admission.ts";
import type { Authentication } from "./authentication.ts";
import { createRestClient } from "./client.ts";
import type { RestClient } from "./client.ts";
import { createRecorder } from "./recorder.ts";
import { createTransport } from "./transport.ts";
import type { Transport } from "./transport.ts";

export interface RestSettings {
  /** Every call stays at its origin and below its path. */
  readonly baseUrl: URL;
  /** PEM; undefined: the public authorities. */
  readonly ca: string | undefined;
  /** Milliseconds of one call. */
  readonly timeoutMs: number;
  /** Calls at once. The scheduler has a budget too; this holds whoever asks. */
  readonly concurrent: number;
  /** A folder for scrubbed recordings; undefined: nothing is recorded. */
  readonly recordTo: string | undefined;
  readonly headers?: ReadonlyMap<string, string>;
}

export interface RestDeps {
  readonly admission: Admission;
  readonly now: () => Date;
  readonly onRecordingFailure: (cause: unknown) => void;
}

export interface Rest extends RestClient {
  close(): void;
}

/** 32 MiB: a page of 500 devices with 100 apps each is some 10 MiB. */
const RESPONSE_LIMIT_BYTES = 33_554_432;

/** @param authenticate makes the authentication; a token endpoint is asked through the same transport, with its authorities and its limits. */
export function openRest(
  { baseUrl, ca, timeoutMs, concurrent, recordTo, headers }: RestSettings,
  authenticate: (transport: Transport) => Authentication,
  { admission, now, onRecordingFailure }: RestDeps,
): Rest {
  // As Node's own requests do: only where somebody says so.
  const proxyEnv = process.env["NODE_USE_ENV_PROXY"] === "1" ? process.env : undefined;
  const transport = createTransport({ ca, timeoutMs, concurrent, proxyEnv, responseLimitBytes: RESPONSE_LIMIT_BYTES });
  const client = createRestClient({
    baseUrl,
    transport,
    authentication: authenticate(transport),
    ...(headers === undefined ? {} : { headers }),
    admission,
    recorder: recordTo === undefined ? undefined : createRecorder(recordTo, onRecordingFailure),
    now,
  });
  return { ...client, close: () => transport.close() };
}
