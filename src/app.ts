/** The only wiring: from a configuration to a program that listens. */
import { hkdfSync } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { createAdmin, listenAdmin } from "./admin/admin.ts";
import type { Config } from "./config/config.ts";
import { createAccept } from "./gateway/accept.ts";
import { createAnswerError } from "./gateway/answer-error.ts";
import { createCredentialProof } from "./gateway/credential-proof.ts";
import { createDecide } from "./gateway/decide.ts";
import { createGateway } from "./gateway/gateway.ts";
import type { GatewaySteps } from "./gateway/gateway.ts";
import { createLastKnown } from "./gateway/last-known.ts";
import type { LastKnown } from "./gateway/last-known.ts";
import { createLastKnownFile } from "./gateway/last-known-file.ts";
import { listen } from "./gateway/listener.ts";
import { createPass } from "./gateway/pass.ts";
import { createProxy } from "./gateway/proxy.ts";
import type { Proxy } from "./gateway/proxy.ts";
import { createRecord } from "./gateway/record.ts";
import { createRemediate } from "./gateway/remediate.ts";
import { createRoutes } from "./gateway/routes.ts";
import { createSessions } from "./gateway/sessions.ts";
import { createUpgrade } from "./gateway/upgrade.ts";
import type { Upstream } from "./gateway/upstream.ts";
import { createNoticeWriter } from "./notice/writer.ts";
import { openStore } from "./store/open.ts";
import type { Store, StoreEvent } from "./store/store.ts";
import { createDeviceHash } from "./telemetry/device-hash.ts";
import { healthOf } from "./telemetry/health.ts";
import type { Health } from "./telemetry/health.ts";
import { errorChain } from "./telemetry/log.ts";
import type { Log } from "./telemetry/log.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import {
  connectionsFromDescriptors,
  createProtocols,
  createUpstreams,
  routesOf,
  storeOptionsOf,
  trustedProxiesOf,
} from "./parts.ts";
import { version } from "./version.ts";

export interface App {
  readonly mail: ListenAddress;
  readonly admin: ListenAddress;
  health(): Health;
  /** Not ready, no new connections, waiting requests end, the others finish. At most so long, then everything is ended. */
  stop(graceMs: number): Promise<void>;
}

interface ListenAddress {
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

export interface AppDeps {
  readonly log: Log;
  readonly secret: Uint8Array;
  readonly now?: () => Date;
  /** An open store, which the app closes with itself. Undefined: the one that the configuration names. */
  readonly store?: Store;
}

/** Bounded by what a node of a large company sees in a day. */
const lastKnownLimit = 500_000;
const lastKnownSaveMs = 60_000;
const credentialValidMs = 300_000;
const exchangeTimeoutMs = 30_000;

/** @throws what kept it from starting; whatever was opened is closed again. */
export async function startApp(config: Config, deps: AppDeps): Promise<App> {
  const opened = new AsyncDisposableStack();
  try {
    return await assemble(config, deps, opened);
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

/** What is opened here is closed in the opposite order. */
async function assemble(config: Config, deps: AppDeps, opened: AsyncDisposableStack): Promise<App> {
  const { log, secret, now = () => new Date() } = deps;
  const key = (purpose: string): Uint8Array => new Uint8Array(hkdfSync("sha256", secret, "", `postern ${purpose}`, 32));
  const epochMs = (): number => now().getTime();
  const hashDevice = createDeviceHash(key("log"));
  const metrics = createMetrics(version);

  const store =
    deps.store ?? (await openStore(storeOptionsOf(config.store), { now, report: (event) => reportStore(log, event) }));
  opened.defer(async () => {
    await store.close();
    log.flush();
  });
  const lastKnown = createLastKnown({ allowHours: config.lastKnown.allowHours, limit: lastKnownLimit, now: epochMs });
  opened.defer(
    store.onChange((change) => {
      if (change.kind === "device") lastKnown.forget(change.id);
    }),
  );
  const keepLastKnown = openLastKnownFile(config, key("last-known"), lastKnown, log);
  opened.defer(() => keepLastKnown.stop());
  const sessions = createSessions(store, epochMs);
  const upstreams = createUpstreams(config);
  opened.defer(() => {
    for (const upstream of upstreams.all()) upstream.close();
  });

  const decide = createDecide({
    store,
    policy: config.policy,
    notices: createNoticeWriter({ ...config.notice, helpUrl: config.notice.helpUrl?.href }),
    lastKnown,
    phoneBrowser: config.phoneBrowser,
    ewsStance: config.ews.stance,
    changes: sessions.changes,
    now,
  });
  const logFailure = (
    event: string,
    fields: {
      readonly code: string;
      readonly httpStatus?: number;
      readonly detail?: string | undefined;
      readonly cause?: unknown;
    },
  ): void => log.warn(event, { ...fields, cause: fields.cause === undefined ? undefined : errorChain(fields.cause) });
  const answerError = createAnswerError({
    refused(failure): void {
      metrics.refused(failure.code);
      logFailure("refused", failure);
    },
    failed(failure): void {
      metrics.failed(failure.code);
      logFailure("failed", failure);
    },
  });
  const proxies = new Map<Upstream, Proxy>();
  const proxyOf = (upstream: Upstream): Proxy => {
    const proxy = proxies.get(upstream) ?? createProxy(upstream, { fail: answerError });
    proxies.set(upstream, proxy);
    return proxy;
  };
  const pass = createPass({
    proxyOf,
    decide,
    sessions,
    store,
    now,
    onBackgroundFailure: (cause) => logFailure("failed beside an answer", { code: "background", cause }),
  });
  const remediate = createRemediate({
    pass,
    decide,
    sessions,
    store,
    proof: createCredentialProof({ secret: key("credential"), validMs: credentialValidMs, now: epochMs }),
    now,
    exchangeTimeoutMs,
  });

  const isTrustedProxy = trustedProxiesOf(config);
  const accept = createAccept({
    route: createRoutes(routesOf(config, createProtocols(config, key("sync-key")), upstreams)),
    isTrustedProxy,
    hosts: new Set(config.mail.hosts),
    encrypted: config.mail.tls !== undefined,
  });
  const identify: GatewaySteps["identify"] = ({ request, route }) => route.protocol.identify(request);
  const record = createRecord({ log, metrics, hashDevice, now });
  const gateway = createGateway({ accept, identify, decide, record, pass, remediate, answerError });
  const upgrade = createUpgrade({
    accept,
    identify,
    decide,
    proxyOf,
    onRefused(code): void {
      metrics.refused(code);
      logFailure("refused", { code });
    },
  });

  let started = false;
  let stopping = false;
  const health = (): Health =>
    healthOf({ started, stopping, store: store.health(), lastKnownDevices: lastKnown.size() });
  const adminListener = await listenAdmin(createAdmin({ health, metrics }), config.admin.listen);
  opened.defer(() => adminListener.close());
  const listener = await listen({
    gateway,
    upgrade: (req: IncomingMessage, socket, head) => void upgrade(req, socket, head),
    ...config.mail.listen,
    tls: config.mail.tls === undefined ? undefined : { cert: config.mail.tls.cert, key: config.mail.tls.key.reveal() },
    maxConnections: config.mail.limits.maxConnections ?? connectionsFromDescriptors(),
    maxConnectionsPerAddress: config.mail.limits.maxConnectionsPerAddress,
    isTrustedProxy,
  });
  started = true;
  metrics.observe(() => {
    const { state } = store.health();
    return {
      waiting: sessions.size(),
      connections: listener.connections(),
      storeUp: state !== "down",
      storeDegraded: state === "degraded",
      lastKnownDevices: lastKnown.size(),
    };
  });

  return {
    mail: addressed(config.mail.tls === undefined ? "http" : "https", listener.address),
    admin: addressed("http", adminListener.address),
    health,
    async stop(graceMs): Promise<void> {
      stopping = true;
      sessions.close();
      const timer = setTimeout(() => listener.destroy(), graceMs);
      await listener.drain();
      clearTimeout(timer);
      await opened.disposeAsync();
    },
  };
}

/** Written every minute and at the end. Without a file the memory ends with the process. */
function openLastKnownFile(
  { lastKnown: { file } }: Config,
  secret: Uint8Array,
  lastKnown: LastKnown,
  log: Log,
): { stop(): void } {
  if (file === undefined) return { stop: () => undefined };
  const kept = createLastKnownFile(file, secret, lastKnown);
  const problem = kept.load();
  if (problem !== undefined) log.error("what was last known is not used", { file, problem });
  const save = (): void => {
    try {
      kept.save();
    } catch (error) {
      log.error("what is known could not be written", { file, cause: errorChain(error) });
    }
  };
  const timer = setInterval(save, lastKnownSaveMs);
  timer.unref();
  return {
    stop(): void {
      clearInterval(timer);
      save();
    },
  };
}

function reportStore(log: Log, event: StoreEvent): void {
  if (event.kind === "listener-failed") log.error("store listener failed", { cause: errorChain(event.cause) });
  else
    log[event.health.state === "live" ? "info" : "warn"]("store", {
      state: event.health.state,
      detail: event.health.detail,
    });
}

function addressed(
  scheme: "http" | "https",
  { host, port }: { readonly host: string; readonly port: number },
): ListenAddress {
  return { url: `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`, host, port };
}
