/** Where Redis is and how to speak to it, from what an operator writes. A wrong address is told at once and as a whole. */
import { StoreUnusable } from "./store.ts";

export interface RedisStoreOptions {
  /** `redis://user:password@host:6379/0`, `rediss://…` for TLS, or `unix:///run/redis.sock?db=0`. */
  readonly url: string;
  /** Begins every key. Default `postern:`. */
  readonly prefix?: string | undefined;
  /** How long a request of a phone may wait for an answer, 10 to 10 000 ms. Default 150. */
  readonly timeoutMs?: number | undefined;
  /** Instead of the ones in the address, so that a secret can live in a file. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** PEM text, all of it: whom to trust, and who we are where the server asks for a certificate. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The name in the server's certificate, where it differs from the host. */
  readonly servername?: string | undefined;
}

export interface RedisAddress {
  readonly place: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly db: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Undefined: not encrypted. */
  readonly tls: RedisTls | undefined;
}

interface RedisTls {
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
}

/** @throws StoreUnusable whose message never repeats the address: it may hold a password. */
export function parseRedisAddress(options: RedisStoreOptions): RedisAddress {
  const url = URL.canParse(options.url) ? new URL(options.url) : undefined;
  const isUnix = url?.protocol === "unix:";
  const isTls = url?.protocol === "rediss:";
  if (url === undefined || !(isUnix || isTls || url.protocol === "redis:")) {
    throw new StoreUnusable("the address of Redis is not of the form redis://host:6379/0, rediss://… or unix:///path");
  }
  const db = isUnix ? (url.searchParams.get("db") ?? "") : url.pathname.slice(1);
  if (!/^\d{0,4}$/.test(db)) throw new StoreUnusable("the database in the address of Redis is not a number");
  if (isUnix ? url.pathname === "" : url.hostname === "") throw new StoreUnusable("the address of Redis names no host");

  return {
    place: isUnix
      ? { path: decode(url.pathname) }
      : { host: url.hostname.replaceAll(/^\[|\]$/g, ""), port: Number(url.port === "" ? 6379 : url.port) },
    db: Number(db),
    username: options.username ?? textOrNothing(url.username),
    password: options.password ?? textOrNothing(url.password),
    tls: isTls ? tlsOf(options) : undefined,
  };
}

function tlsOf({ ca, cert, key, servername }: RedisStoreOptions): RedisTls {
  const tls: RedisTls = {};
  if (ca !== undefined) tls.ca = ca;
  if (cert !== undefined) tls.cert = cert;
  if (key !== undefined) tls.key = key;
  if (servername !== undefined) tls.servername = servername;
  return tls;
}

function textOrNothing(text: string): string | undefined {
  return text === "" ? undefined : decode(text);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new StoreUnusable("the address of Redis has a % that is not followed by two hex digits", cause);
  }
}
