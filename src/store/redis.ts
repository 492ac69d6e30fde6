/**
 * Redis as a backend: the only file that knows ioredis. Two connections live as long as the store: a hot one that phones wait
 * for, and one that hears which keys changed. ioredis 6 throws RESP3 invalidations away, so both speak RESP2 and the server
 * is told to redirect them. Others are made when there is patient work, or an act. What would differ for Sentinel or Cluster is in
 * `connect` and `execute`.
 */
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import type { RedisOptions } from "ioredis";
import type { Backend, BackendEvents, OpenBackend } from "./backend.ts";
import { parseRedisAddress } from "./redis-address.ts";
import type { RedisStoreOptions } from "./redis-address.ts";
import { redisCommands } from "./redis-commands.ts";
import type { Run } from "./redis-commands.ts";
import { redisFirstSeen } from "./redis-first-seen.ts";
import { redisLastRequests } from "./redis-last-requests.ts";
import { createRedisKeys, DEFAULT_PREFIX } from "./redis-keys.ts";
import { describe, isFromReplica, isSilence, tracksFor, unavailable } from "./redis-replies.ts";
import type { Reply } from "./redis-replies.ts";
import { redisDocuments } from "./redis-documents.ts";
import { createOnDemand, execute } from "./redis-on-demand.ts";
import { redisTraffic } from "./redis-traffic.ts";
import { createTracking } from "./redis-tracking.ts";
import { StoreUnusable } from "./store.ts";

/** Leaves a request 50 ms of its 200 for everything else. */
const DEFAULT_TIMEOUT_MS = 150;
/** A listener is idle but for its proof, which may take longer than a read: twice this and a second are 2 s. */
const PROOF_TIMEOUT_MS = 400;
const CONNECT_TIMEOUT_MS = 500;
/** What a dead server would have answered to a goodbye is of no interest. */
const DISCONNECT_TIMEOUT_MS = 100;
/** Back within a second of the server's return, without a storm of connections while it is away. */
const RETRY_LIMIT_MS = 200;
/** Nobody waits with a phone in the hand: better late than twice. */
const PATIENT_TIMEOUT_MS = 5_000;
/** Each time costs the cache, so a gate that was pointed at a replica by mistake does it now and then only. */
const LEAVE_INTERVAL_MS = 10_000;

const INVALIDATIONS = "__redis__:invalidate";

/** @throws StoreUnusable where the options can lead nowhere. */
export function redisBackend(options: RedisStoreOptions, now: () => Date): OpenBackend {
  const address = parseRedisAddress(options);
  const keys = createRedisKeys(options.prefix ?? DEFAULT_PREFIX);
  const commandTimeout = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  if (!(commandTimeout >= 10 && commandTimeout <= 10_000)) {
    throw new StoreUnusable("the time that Redis has to answer is not 10 to 10 000 ms");
  }

  function connect(name: string, own: Omit<RedisOptions, "replyMapping">): Connection {
    const common: Omit<RedisOptions, "replyMapping"> = {
      ...address.place,
      db: address.db,
      username: address.username,
      password: address.password,
      tls: address.tls,
      protocol: 2,
      connectionName: name,
      connectTimeout: CONNECT_TIMEOUT_MS,
      disconnectTimeout: DISCONNECT_TIMEOUT_MS,
      // A command that found no connection has failed; sent later, it would answer a request that has long given up.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      // Subscribing anew is ours: the server must give the connection its number first.
      autoResubscribe: false,
      // The probe says the same with fewer permissions, and notices a server that begins to load its data later.
      enableReadyCheck: false,
      disableClientInfo: true,
      retryStrategy: (times) => Math.min(times * 50, RETRY_LIMIT_MS) + Math.random() * 50,
    };
    return watched(new Redis({ ...common, ...own }));
  }

  return function open(events: BackendEvents): Backend {
    let lastProblem = "not connected yet";
    let listenerId: number | undefined;
    let listenerName = "";
    let mayLeaveAt = 0;
    const onDemand = (name: string) =>
      createOnDemand(
        () => connect(name, { enableOfflineQueue: true, retryStrategy: () => null }).redis,
        PATIENT_TIMEOUT_MS,
        (problem) => (lastProblem = problem),
      );
    const work = onDemand("postern-work");
    const acts = onDemand("postern-acts");
    const hotLink = connect("postern", { commandTimeout });
    const listeningLink = connect("postern-changes", { commandTimeout: PROOF_TIMEOUT_MS });
    const { redis: hot } = hotLink;
    const { redis: listening } = listeningLink;

    const tracking = createTracking({
      hot: {
        ...hotLink,
        probe,
        startTracking,
        isTrackingTo: async (listener) => tracksFor(listener, await hot.call("CLIENT", "TRACKINGINFO")),
      },
      listening: { ...listeningLink, id: () => listenerId, ping: () => listening.ping() },
      now,
      onHealth: events.health,
      onRegained: events.everythingChanged,
      lastProblem: () => lastProblem,
    });

    for (const redis of [hot, listening]) {
      redis.on("error", (error: unknown) => (lastProblem = describe(error)));
    }
    hot.on("ready", () => tracking.check());
    hot.on("close", () => tracking.lost(lastProblem));
    listening.on("ready", () => void listen());
    listening.on("close", () => {
      listenerId = undefined;
      tracking.lost("the connection that hears of changes was closed");
    });
    listening.on("messageBuffer", (_channel: unknown, names: unknown) => hear(names));

    async function probe(): Promise<void> {
      try {
        await hot.exists(keys.policy);
        lastProblem = "the connection was closed";
      } catch (error) {
        lastProblem = describe(error);
        throw error;
      }
    }

    async function listen(): Promise<void> {
      try {
        const name = `postern-changes-${randomUUID()}`;
        const id = Number(await listening.call("CLIENT", "ID"));
        await listening.call("CLIENT", "SETNAME", name);
        await listening.subscribe(INVALIDATIONS);
        listenerName = name;
        listenerId = id;
        tracking.check();
      } catch (error) {
        lastProblem = describe(error);
        listeningLink.drop();
      }
    }

    async function startTracking(listener: number): Promise<void> {
      // During a failover the two connections may end at different servers, where the same number is somebody else.
      const found = String(await hot.call("CLIENT", "LIST", "ID", String(listener)));
      if (!found.includes(` name=${listenerName} `)) {
        hotLink.drop();
        listeningLink.drop();
        throw new Error("the two connections lead to different servers");
      }
      // Off first: prefixes that are already tracked may not be named again, and the listener may be another one now.
      await hot.call("CLIENT", "TRACKING", "OFF");
      const named = keys.tracked.flatMap((prefix) => ["PREFIX", prefix]);
      await hot.call("CLIENT", "TRACKING", "ON", "REDIRECT", String(listener), "BCAST", ...named);
    }

    /** A list of keys; null where the whole database was emptied. */
    function hear(names: unknown): void {
      if (!Array.isArray(names)) return events.everythingChanged();
      for (const name of names) {
        const key = keys.parse(String(name));
        if (key?.kind === "policy") events.policyChanged();
        else if (key?.kind === "document") events.documentChanged(key.of, key.name);
        else if (key !== undefined) events.changed(key.kind, key.id);
      }
    }

    /** Refused at once where there is no connection. Silence is worth a look at it, an answer of any kind is not. */
    async function runHot(...order: Parameters<Run>): Promise<readonly Reply[]> {
      if (!hotLink.isUp()) throw unavailable(lastProblem);
      try {
        const replies = await execute(hot, ...order);
        if (replies.some(isSilence)) tracking.check();
        if (replies.some(isFromReplica)) leaveReplica();
        return replies;
      } catch (error) {
        tracking.check();
        throw unavailable(describe(error));
      }
    }

    /** The server is read-only after a failover; the same address may lead to the new master by now. */
    function leaveReplica(): void {
      if (performance.now() < mayLeaveAt) return;
      mayLeaveAt = performance.now() + LEAVE_INTERVAL_MS;
      hotLink.drop();
    }

    async function close(): Promise<void> {
      tracking.close();
      // What was written last still goes out; a server that does not answer is not waited for.
      if (hotLink.isUp()) await hot.quit().catch(() => {});
      hot.disconnect();
      listening.disconnect();
      work.close();
      acts.close();
    }

    return {
      ...redisCommands(keys, { hot: runHot, patient: work.run }),
      ...redisFirstSeen(keys, { hot: runHot, patient: work.run }, now),
      ...redisLastRequests(keys, work.run),
      ...redisTraffic(keys, work.run),
      ...redisDocuments(keys, work.run, acts.act),
      isTracking: () => tracking.isTracking(),
      health: () => tracking.health(),
      settled: () => tracking.settled(),
      answersWithinMs: commandTimeout,
      close,
    };
  };
}

interface Connection {
  readonly redis: Redis;
  readonly isUp: () => boolean;
  /** Closes it, whatever it is doing; ioredis makes another. */
  readonly drop: () => void;
}

function watched(redis: Redis): Connection {
  let isLeaving = false;
  redis.on("close", () => (isLeaving = false));
  return {
    redis,
    isUp: () => redis.status === "ready" && !isLeaving,
    drop(): void {
      // Only where a connection exists: told in the moment between two of them, ioredis gives up for good.
      if (isLeaving || (redis.status !== "ready" && redis.status !== "connect")) return;
      isLeaving = true;
      redis.disconnect(true);
    },
  };
}
