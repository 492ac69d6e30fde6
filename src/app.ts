/** The only wiring: from a configuration to a program that listens. */
import { hkdfSync } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createAdmin, listenAdmin } from "./admin/admin.ts";
import { createEventHub } from "./admin/event-hub.ts";
import { openGateAudit } from "./audit/open.ts";
import { createLedger } from "./campaign/ledger.ts";
import { openLivePolicy } from "./campaign/live-policy.ts";
import type { LivePolicy } from "./campaign/live-policy.ts";
import { openRollCall } from "./campaign/roll-call.ts";
import { createWatch } from "./campaign/watch.ts";
import type { Config } from "./config/config.ts";
import { createAccept, createArrive } from "./gateway/accept.ts";
import { createAnswerError } from "./gateway/answer-error.ts";
import { createCredentialProof } from "./gateway/credential-proof.ts";
import { createDecide } from "./gateway/decide.ts";
import { createGateway } from "./gateway/gateway.ts";
import type { GatewaySteps, Visit } from "./gateway/gateway.ts";
import { createLastKnown } from "./gateway/last-known.ts";
import type { LastKnown } from "./gateway/last-known.ts";
import { createLastKnownFile } from "./gateway/last-known-file.ts";
import { listen } from "./gateway/listener.ts";
import { createOwnPages } from "./gateway/own-pages.ts";
import { createLastRequests } from "./gateway/last-requests.ts";
import { createPass } from "./gateway/pass.ts";
import { createPlaces } from "./gateway/places.ts";
import { createProxy } from "./gateway/proxy.ts";
import type { Proxy } from "./gateway/proxy.ts";
import { createRecord } from "./gateway/record.ts";
import { createRemediate } from "./gateway/remediate.ts";
import { createRoutes } from "./gateway/routes.ts";
import { createSessions } from "./gateway/sessions.ts";
import { createStrangeDevices } from "./gateway/strange-devices.ts";
import { createUpgrade } from "./gateway/upgrade.ts";
import type { Upstream } from "./gateway/upstream.ts";
import { createRechecks } from "./inventory/rechecks.ts";
import { createCompose } from "./letters/compose.ts";
import { createCourier } from "./letters/courier.ts";
import { openPostOffice } from "./letters/post-office.ts";
import { createNoticeWriter } from "./notice/writer.ts";
import { createMailBack } from "./self-service/mail-back.ts";
import type { Sources } from "./self-service/self-service.ts";
import { openStore } from "./store/open.ts";
import type { Store } from "./store/store.ts";
import { createDeviceHash, createPersonHash } from "./telemetry/device-hash.ts";
import { healthOf } from "./telemetry/health.ts";
import type { Health } from "./telemetry/health.ts";
import { errorChain } from "./telemetry/log.ts";
import type { Log } from "./telemetry/log.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import { openOperators } from "./operators.ts";
import {
  connectionsFromDescriptors,
  createProtocols,
  createSelfServiceParts,
  createUpstreams,
  refreshBySource,
  routesOf,
  storeOptionsOf,
  trafficOf,
  trustedProxiesOf,
} from "./parts.ts";
import {
  reportAuditLine,
  reportLetters,
  reportPolicy,
  reportSelfService,
  reportStore,
  reportSync,
  reportTripped,
  trippedEntry,
} from "./reports.ts";
import type { SyncEvent } from "./sync/events.ts";
import { hasSyncWork, startSyncPart } from "./sync-part.ts";
import { startSyncThread } from "./sync-thread.ts";
import type { Address } from "./sync-thread.ts";
import { version } from "./version.ts";

export interface App {
  readonly mail: ListenAddress;
  readonly admin: ListenAddress;
  /** Where management systems speak to it; undefined where they do not. */
  readonly inventory: ListenAddress | undefined;
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
  /** The management systems that can be asked about a phone. Undefined: those of the configuration. */
  readonly sources?: Sources;
}

/** Bounded by what a node of a large company sees in a day. */
const lastKnownLimit = 500_000;
const lastKnownSaveMs = 60_000;
const credentialValidMs = 300_000;
const exchangeTimeoutMs = 30_000;
/** A page is taken in within this; what is not goes on at its cursor. */
const syncGraceMs = 10_000;

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
  const keyOf = (material: Uint8Array, purpose: string): Uint8Array =>
    new Uint8Array(hkdfSync("sha256", material, "", `postern ${purpose}`, 32));
  const key = (purpose: string): Uint8Array => keyOf(secret, purpose);
  const epochMs = (): number => now().getTime();
  const hashDevice = createDeviceHash(key("log"));
  const metrics = createMetrics(version);
  const hub = createEventHub();

  const store =
    deps.store ??
    (await openStore(storeOptionsOf(config.store), {
      now,
      report: (event) => {
        reportStore(log, event);
        if (event.kind === "health") hub.publish({ kind: "store", ...event.health });
      },
    }));
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
  const livePolicy = await openLivePolicy({
    store,
    configured: config.policy,
    report: (event) => {
      reportPolicy(log, event);
      if (event.kind !== "in-force" && event.kind !== "answered")
        hub.publish({ kind: "policy-problem", detail: event.kind });
    },
    now,
  });
  opened.defer(() => livePolicy.close());
  opened.defer(livePolicy.onChange(() => hub.publish({ kind: "policy", version: livePolicy.current()?.version })));
  const rollCall = openRollCall({
    store,
    onFailure: (cause) => log.warn("nobody could look who is new", { cause: errorChain(cause) }),
  });
  opened.defer(() => rollCall.close());
  const sessions = createSessions(changesOf(store, livePolicy), epochMs);
  const upstreams = createUpstreams(config);
  opened.defer(() => {
    for (const upstream of upstreams.all()) upstream.close();
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
  const onBackgroundFailure = (cause: unknown): void =>
    logFailure("failed beside an answer", { code: "background", cause });

  const rechecks = createRechecks(store);
  const mailBack = createMailBack({ rechecks, onFailure: onBackgroundFailure, now });
  opened.defer(() => mailBack.close());
  const previousSecret = config.secret.previous?.reveal();
  const selfService = createSelfServiceParts(config, {
    store,
    livePolicy,
    lastKnown,
    rechecks,
    follow: (following) => sessions.follow(following),
    keys: [key("self-service"), ...(previousSecret === undefined ? [] : [keyOf(previousSecret, "self-service")])],
    sources: deps.sources ?? { areThere: () => hasSyncWork(config), refreshOf: refreshBySource(config) },
    report: (event) => reportSelfService(log, metrics, hashDevice, event),
    onFailure: onBackgroundFailure,
    now,
  });
  opened.defer(() => selfService.close());

  const notices = createNoticeWriter({ ...config.notice, helpUrl: config.notice.helpUrl?.href });
  if (config.letters !== undefined) {
    const { password, ...courier } = config.letters;
    const postOffice = openPostOffice({
      store,
      livePolicy,
      courier: createCourier({ ...courier, password: password?.reveal() }),
      compose: createCompose({ notices, linkTo: selfService.linkToOwner, ...config.notice }),
      now,
      report: (event) => reportLetters(log, hashDevice, event),
    });
    opened.defer(() => postOffice.close());
  }

  const decide = createDecide({
    store,
    policy: () => livePolicy.current()?.policy,
    homeDomains: config.policy.homeDomains,
    notices,
    linkTo: selfService.linkTo,
    lastKnown,
    phoneBrowser: config.phoneBrowser,
    ewsStance: config.ews.stance,
    changes: sessions.changes,
    now,
  });
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
  const proof = createCredentialProof({ secret: key("credential"), validMs: credentialValidMs, now: epochMs });
  const hashPerson = createPersonHash(key("log"));
  const strangeDevices = createStrangeDevices({
    perHour: config.mail.limits.strangeDevicesPerHour,
    isKnown: (spelling, account) => lastKnown.recall(spelling, account) !== undefined,
    onMany: (account) => log.warn("one person tries many device ids", { person: hashPerson(account) }),
    now: epochMs,
  });
  const onProven = ({ claim, decision, accepted, res }: Visit): void => {
    const { subject } = claim;
    if (subject.kind !== "device" || decision.device === undefined) return;
    if (isSyncAnswer(res)) {
      proof.accept(accepted.request, accepted.route);
      if (claim.command === "Sync" && decision.verdict.action === "allow") mailBack.passed(decision.device.id);
    }
    lastKnown.vouch(subject.candidates[0], decision.device.account);
    strangeDevices.note(claim, decision);
  };
  const pass = createPass({
    proxyOf,
    decide,
    sessions,
    store,
    now,
    onProven,
    onDoubted: ({ accepted }) => proof.doubt(accepted.request.credential.person),
    onBackgroundFailure,
  });
  const remediate = createRemediate({
    pass,
    decide,
    sessions,
    store,
    proof,
    onProven,
    now,
    exchangeTimeoutMs,
    report(kind, { accepted: { request, route }, claim, decision: { device } }): void {
      metrics.looped(kind);
      log.warn("loop", {
        kind,
        request: request.id,
        protocol: route.protocol.name,
        command: claim.command,
        device: device === undefined ? undefined : hashDevice(device.id),
      });
    },
  });

  const isTrustedProxy = trustedProxiesOf(config);
  const arrive = createArrive({ isTrustedProxy, hosts: new Set(config.mail.hosts) });
  const accept = createAccept({
    route: createRoutes(routesOf(config, createProtocols(config, key("sync-key")), upstreams)),
    // A public URL is https: where the gate itself has no certificate, whoever stands in front of it has one.
    encrypted: config.mail.tls !== undefined || config.mail.publicUrl !== undefined,
  });
  const identify: GatewaySteps["identify"] = ({ request, route }) => route.protocol.identify(request);
  const gateAudit = openGateAudit({
    store,
    key: key("audit"),
    ...config.audit,
    onLine: (read) => reportAuditLine(log, hashDevice, read),
    onNoJournal: (cause) =>
      log.error("there is no journal of the audit trail: losing the store loses entries of this node", {
        folder: config.audit.journal,
        cause: errorChain(cause),
      }),
    onFailure: (cause) => logFailure("the audit trail was not written", { code: "background", cause }),
    now,
  });
  opened.defer(() => gateAudit.stop());
  const ledger = createLedger({ store, stances: config.policy.stances, now });
  const watch = createWatch({
    livePolicy,
    ledger,
    store,
    onTripped(tripped): void {
      metrics.guardTripped(tripped.campaign);
      reportTripped(log, tripped);
      void gateAudit.audit
        .append([trippedEntry(tripped)])
        .catch((cause: unknown) => logFailure("the audit trail was not written", { code: "background", cause }));
      const { campaign, cut, limit, paused } = tripped;
      hub.publish({ kind: "guard-tripped", campaign, cut, limit, pausedVersion: paused?.version });
    },
    onFailure: onBackgroundFailure,
  });
  opened.defer(() => watch.close());
  const traffic = trafficOf(store, livePolicy, watch, now, onBackgroundFailure);
  opened.defer(() => traffic.stop());
  const lastRequests = createLastRequests({ store, onFailure: onBackgroundFailure, now });
  opened.defer(() => lastRequests.stop());
  const record = createRecord({
    log,
    metrics,
    hashDevice,
    traffic,
    lastRequests,
    verdictChanges: gateAudit.verdictChanges,
    now,
  });
  const gateway = createGateway({
    arrive,
    ownPages: createOwnPages(selfService.pages),
    accept,
    identify,
    takePlace: createPlaces({
      secret: key("places"),
      perAddress: config.mail.limits.maxConnectionsPerAddress,
      perCredential: config.mail.limits.maxRequestsPerCredential,
    }),
    decide,
    checkDevice: (claim, decision) => strangeDevices.check(claim, decision),
    record,
    pass,
    remediate,
    answerError,
  });
  const upgrade = createUpgrade({
    arrive,
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
    healthOf({
      started,
      stopping,
      store: store.health(),
      policyKnown: livePolicy.current() !== undefined,
      policyProblem: livePolicy.problem(),
      lastKnownDevices: lastKnown.size(),
    });
  const operators = openOperators({
    config,
    audit: gateAudit.audit,
    log,
    key,
    store,
    isConfiguredStore: deps.store === undefined,
    ledger,
    health,
    policyVersion: () => livePolicy.current()?.version,
    hub,
    now,
  });
  opened.defer(() => operators.close());
  const admin = createAdmin({ health, metrics, api: operators.router });
  const adminListener = await listenAdmin(admin, config.admin.listen);
  opened.defer(() => adminListener.close());
  const sync = config.role === "gateway" || !hasSyncWork(config) ? undefined : await openSync();
  opened.defer(() => sync?.close());
  const listener = await listen({
    gateway,
    upgrade: (req: IncomingMessage, socket, head) => void upgrade(req, socket, head),
    ...config.mail.listen,
    tls: config.mail.tls === undefined ? undefined : { cert: config.mail.tls.cert, key: config.mail.tls.key.reveal() },
    maxConnections: config.mail.limits.maxConnections ?? connectionsFromDescriptors(),
    maxConnectionsPerAddress: config.mail.limits.maxConnectionsPerAddress,
    isTrustedProxy,
    onCut: (cause) => metrics.cut(cause),
  });
  started = true;
  metrics.observe(() => {
    const { state } = store.health();
    return {
      waiting: sessions.size(),
      connections: listener.connections(),
      pageStreams: selfService.streams(),
      storeUp: state !== "down",
      storeDegraded: state === "degraded",
      lastKnownDevices: lastKnown.size(),
      policyVersion: livePolicy.current()?.version ?? 0,
      policyInDoubt: livePolicy.problem() !== undefined,
    };
  });

  /** In a thread of its own, unless the store is one that only this thread can see. */
  async function openSync(): Promise<{ readonly address: Address | undefined; close(): Promise<void> }> {
    const tell = (event: SyncEvent): void => reportSync(log, metrics, event);
    const logKey = key("log");
    if (deps.store !== undefined) {
      return startSyncPart(config, { store, logKey, tell, now, onPolicy: () => undefined });
    }
    const thread = await startSyncThread({ sources: config.sources.reveal(), logKey }, tell);
    return { address: thread.address, close: () => thread.close(syncGraceMs) };
  }

  return {
    mail: addressed(config.mail.tls === undefined ? "http" : "https", listener.address),
    admin: addressed("http", adminListener.address),
    inventory:
      sync?.address === undefined
        ? undefined
        : addressed(config.inventory.tls === undefined ? "http" : "https", sync.address),
    health,
    async stop(graceMs): Promise<void> {
      stopping = true;
      sessions.close();
      selfService.close();
      const timer = setTimeout(() => listener.destroy(), graceMs);
      await listener.drain();
      clearTimeout(timer);
      await opened.disposeAsync();
    },
  };
}

/** A page that asks who one is may be a 200 too; an answer in the protocol is given to those whom a server knows. */
function isSyncAnswer(res: ServerResponse): boolean {
  return res.headersSent && String(res.getHeader("content-type")).startsWith("application/vnd.ms-sync");
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

/** A new policy concerns everybody, from the moment on at which it is in force here. */
function changesOf(store: Store, livePolicy: LivePolicy): Pick<Store, "onChange"> {
  return {
    onChange(listener): () => void {
      const stops = [store.onChange(listener), livePolicy.onChange(() => listener({ kind: "everything" }))];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}

function addressed(
  scheme: "http" | "https",
  { host, port }: { readonly host: string; readonly port: number },
): ListenAddress {
  return { url: `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`, host, port };
}
