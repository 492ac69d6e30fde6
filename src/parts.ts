/** The parts of the program as the configuration asks for them. `app.ts` puts them together. */
import { readFileSync } from "node:fs";
import { BlockList, isIP } from "node:net";
import { createActiveSync } from "./activesync/activesync.ts";
import { createAutodiscoverProtocol } from "./autodiscover/autodiscover.ts";
import { createBrowserProtocol } from "./browser/browser.ts";
import type { LivePolicy } from "./campaign/live-policy.ts";
import { createFingerprints, tallyName } from "./campaign/tally-names.ts";
import type { CampaignWatch } from "./campaign/watch.ts";
import type { Config, StoreConfig } from "./config/config.ts";
import { refreshOf } from "./connectors/refresh-times.ts";
import type { ConnectorAbilities } from "./inventory/connector.ts";
import { createEwsProtocol } from "./ews/ews.ts";
import { createAnswerHeaders } from "./gateway/answer-headers.ts";
import type { LastKnown } from "./gateway/last-known.ts";
import type { Pages } from "./gateway/own-pages.ts";
import type { Protocol, ProtocolName } from "./gateway/protocol.ts";
import type { Route } from "./gateway/routes.ts";
import { createTraffic } from "./gateway/traffic.ts";
import type { Traffic } from "./gateway/traffic.ts";
import { createUpstream } from "./gateway/upstream.ts";
import type { Upstream } from "./gateway/upstream.ts";
import { createBindings } from "./inventory/bindings.ts";
import type { Rechecks } from "./inventory/recheck.ts";
import { createRegistrations } from "./inventory/registrations.ts";
import type { Registrations } from "./inventory/registrations.ts";
import { createStrangers } from "./inventory/strangers.ts";
import { createLetters } from "./notice/writer.ts";
import type { DeviceRecord } from "./policy/device.ts";
import { writtenAppIdsOf } from "./policy/app-ids.ts";
import { accountKey, parsePerson } from "./policy/person.ts";
import { createLinks } from "./self-service/links.ts";
import type { LinkCase, Links } from "./self-service/links.ts";
import { createLook } from "./self-service/look.ts";
import { createSelfService } from "./self-service/self-service.ts";
import type { SelfServiceOptions } from "./self-service/self-service.ts";
import { createStreams } from "./self-service/streams.ts";
import type { StoreOptions } from "./store/open.ts";
import type { Store } from "./store/store.ts";

/** Of the key with which tokens are signed that `postern token create` makes. */
export const LOCAL_TOKEN_PURPOSE = "admin-token";

export function createProtocols(config: Config, syncKeySecret: Uint8Array): Readonly<Record<ProtocolName, Protocol>> {
  const { mail, notice, ews } = config;
  const upstreamOrigins = upstreamOriginsOf(config);
  return {
    activesync: createActiveSync({
      secret: syncKeySecret,
      bodyLimitBytes: mail.limits.bodyBytes,
      heldFolders: config.heldFolders,
    }),
    browser: createBrowserProtocol({
      phonePage: { organisation: notice.organisation, helpUrl: notice.helpUrl?.href, language: notice.language },
    }),
    ews: createEwsProtocol({
      allowAgents: ews.allowAgents,
      organisation: notice.organisation,
      helpUrl: notice.helpUrl?.href,
      bodyLimitBytes: mail.limits.bodyBytes,
    }),
    autodiscover: createAutodiscoverProtocol({ upstreamOrigins, publicUrl: mail.publicUrl?.origin }),
  };
}

function upstreamOriginsOf({ upstream, routes }: Config): string[] {
  return [upstream.url.origin, ...routes.flatMap((route) => route.upstream?.origin ?? [])];
}

export interface Upstreams {
  at(url: URL): Upstream;
  all(): Iterable<Upstream>;
}

/** One for each address, however many routes lead there. */
export function createUpstreams(config: Config): Upstreams {
  const { upstream: options, mail } = config;
  const answerHeaders = createAnswerHeaders({
    upstreamOrigins: upstreamOriginsOf(config),
    publicUrl: mail.publicUrl,
  });
  const byHref = new Map<string, Upstream>();
  const at = (url: URL): Upstream => {
    const upstream = byHref.get(url.href) ?? createUpstream({ ...options, url, answerHeaders });
    byHref.set(url.href, upstream);
    return upstream;
  };
  return { at, all: () => byHref.values() };
}

export function routesOf(
  { routes, upstream }: Config,
  protocols: Readonly<Record<ProtocolName, Protocol>>,
  upstreams: Upstreams,
): Route[] {
  return routes.map(({ path, protocol, upstream: own, websocket, except }) => ({
    path,
    protocol: protocols[protocol],
    upstream: upstreams.at(own ?? upstream.url),
    websocket,
    except,
  }));
}

export function storeOptionsOf(config: StoreConfig): StoreOptions {
  if (config.kind === "embedded") return { embedded: { path: config.file } };
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  return {
    redis: {
      url: `${config.tls ? "rediss" : "redis"}://${host}:${config.port}/${config.database}`,
      prefix: config.prefix,
      username: config.username,
      password: config.password?.reveal(),
      ca: config.ca,
    },
  };
}

/** Whether an address is one of the proxies whose word about clients is believed. */
export function trustedProxiesOf({ mail }: Config): (address: string) => boolean {
  const list = new BlockList();
  for (const { address, prefixLength, family } of mail.trustedProxies) list.addSubnet(address, prefixLength, family);
  return (address) => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? "ipv6" : "ipv4");
  };
}

/** A fifth is kept for the store, the log and the unforeseen; every client needs one descriptor here and one upstream. */
export function connectionsFromDescriptors(): number {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return Math.floor((Number(limit ?? 1024) * 0.8) / 2);
  } catch {
    return 400;
  }
}

/** Counted for reports under the campaign's own names, and for the guard what is really cut. */
export function trafficOf(
  store: Store,
  livePolicy: LivePolicy,
  watch: CampaignWatch,
  now: () => Date,
  onFailure: (cause: unknown) => void,
): Traffic {
  const fingerprintOf = createFingerprints();
  return createTraffic({
    store,
    namesOf(id, effect, isShadow): readonly string[] {
      const campaign = livePolicy.current()?.policy.campaigns.find((each) => each.id === id);
      if (campaign === undefined) return [];
      const name = tallyName(id, fingerprintOf(campaign), isShadow, effect);
      const guarded = !isShadow && effect === "cut" ? watch.countNameOf(id) : undefined;
      return guarded === undefined ? [name] : [name, guarded];
    },
    onCounted: (names) => watch.check(names),
    onFailure,
    now,
  });
}

/** The pages about phones, and the links to them in notices. Without a public address there are none of either. */
export interface SelfService {
  readonly pages: Pages | undefined;
  readonly linkTo: (about: LinkCase) => string | undefined;
  /** For a letter to the owner of a phone. */
  readonly linkToOwner: (record: DeviceRecord, until: Date | undefined) => string | undefined;
  streams(): number;
  /** Ends what people look at: the program stops. */
  close(): void;
}

export interface SelfServiceDeps extends Pick<
  SelfServiceOptions,
  "rechecks" | "follow" | "sources" | "report" | "onFailure" | "now"
> {
  readonly store: Store;
  readonly livePolicy: LivePolicy;
  readonly lastKnown: LastKnown;
  readonly rechecks: Rechecks;
  /** Of the installation's secret, and of the one before. */
  readonly keys: readonly [Uint8Array, ...Uint8Array[]];
}

/** Open pages of one phone that follow what happens: more than a person has tabs. */
const STREAMS_PER_DEVICE_LIMIT = 4;
/** One in four connections of a network, and of all: the others are the phones'. Further pages look again by themselves. */
const connectionsPerStream = 4;

export function createSelfServiceParts(config: Config, deps: SelfServiceDeps): SelfService {
  const { mail, notice, selfService, policy } = config;
  const { publicUrl } = mail;
  if (publicUrl === undefined || !selfService.enabled) {
    return {
      pages: undefined,
      linkTo: () => undefined,
      linkToOwner: () => undefined,
      streams: () => 0,
      close: () => undefined,
    };
  }
  const { store, livePolicy, lastKnown, now, keys, ...rest } = deps;
  const links: Links = createLinks({ keys, linkHours: selfService.linkHours });
  const streams = createStreams({
    perDevice: STREAMS_PER_DEVICE_LIMIT,
    perNetwork: Math.ceil(mail.limits.maxConnectionsPerAddress / connectionsPerStream),
    inAll: Math.ceil((mail.limits.maxConnections ?? connectionsFromDescriptors()) / connectionsPerStream),
  });
  const helpUrl = notice.helpUrl?.href;
  const linkTo = (about: LinkCase): string => `${publicUrl.origin}/postern/${links.make(about)}`;
  return {
    pages: createSelfService({
      ...rest,
      links,
      streams,
      look: createLook({
        store,
        policy: () => livePolicy.current()?.policy,
        homeDomains: policy.homeDomains,
        rechecks: deps.rechecks,
        lastKnown: (device, account) => lastKnown.recall(device, account)?.action,
        now,
      }),
      registrations: registrationsOf(config, deps),
      letters: createLetters({ ...notice, helpUrl }),
      organisation: notice.organisation,
      helpUrl,
      language: notice.language,
      publicUrl,
      now,
    }),
    linkTo,
    linkToOwner(record, until): string | undefined {
      const owner = record.owner ?? record.email;
      const person = owner === undefined ? undefined : parsePerson(owner);
      if (person === undefined) return undefined;
      return linkTo({ device: record.id, account: accountKey(person, policy.homeDomains), at: now(), until });
    },
    streams: () => streams.size(),
    close: () => streams.close(),
  };
}

/** What owners may say about ids that no source knows, as far as the configuration lets them. */
function registrationsOf(
  { inventory: { join }, policy: { homeDomains } }: Config,
  { store, livePolicy, now }: Pick<SelfServiceDeps, "store" | "livePolicy" | "now">,
): Registrations {
  const bindings = createBindings({
    store,
    // A page asks only once the policy is known.
    appIds: () => writtenAppIdsOf(livePolicy.current()?.policy ?? { campaigns: [] }),
    homeDomains,
    ownerRequired: true,
    now,
  });
  const strangers = createStrangers({ store, bindings, join, homeDomains });
  return createRegistrations({ store, strangers, bindings, selfRegistration: join.selfRegistration, now });
}

/** How long each source usually takes to have a phone report anew. */
export function refreshBySource({ inventory }: Config): (source: string) => ConnectorAbilities["refresh"] {
  const times = new Map(inventory.connectors.map((connector) => [connector.name, refreshOf(connector)]));
  return (source) => times.get(source);
}
