/**
 * Links to the page about one phone, as they stand in its notice. Whoever has the link is taken for the person who was given it: so it is
 * good for one phone and one account, for some days, and lets nobody see more than the notice that it stood in.
 */
import { createHash, createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import type { KeyObject } from "node:crypto";
import jsonwebtoken from "jsonwebtoken";
import { toDeviceId } from "../policy/device.ts";
import type { DeviceId } from "../policy/device.ts";

/** 320 characters: the longest that is made here has 260. */
export const TOKEN_LIMIT_CHARS = 320;
/** 30 days from now: what is further ahead is told anew before. */
export const LINK_AHEAD_LIMIT_MS = 2_592_000_000;

/** 20 000 links of the day: a notice is written at each request of a phone that is told something, and signing would take a quarter of its time. */
const KEPT_LINKS_LIMIT = 20_000;

export interface LinksOptions {
  /** Of the installation's secret, 32 bytes; the others are those of earlier secrets, whose links still work. */
  readonly keys: readonly [Uint8Array, ...Uint8Array[]];
  /** How long a link works at least, from the moment on at which its notice was written. */
  readonly linkHours: number;
}

export interface LinkCase {
  readonly device: DeviceId;
  /** As in `MailboxKey`; empty where the credential names nobody. */
  readonly account: string;
  readonly at: Date;
  /** Until when the notice stands as it is, where that is known: a phone fetches it once, and keeps it. */
  readonly until: Date | undefined;
}

export interface Link {
  readonly device: DeviceId;
  readonly expiresAt: Date;
  /** Whether the link was given to this person. The name itself does not stand in it. */
  readonly isFor: (account: string) => boolean;
}

export type LinkReading =
  | { readonly kind: "good"; readonly link: Link }
  /** It was one of ours. */
  | { readonly kind: "too-old" }
  | { readonly kind: "unreadable" };

export interface Links {
  /** What follows `/postern/` in the address. */
  make(about: LinkCase): string;
  read(token: string, now: Date): LinkReading;
}

interface Key {
  readonly id: string;
  readonly secret: KeyObject;
}

const audience = "self-service";
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const tokenGrammar = /^[A-Za-z0-9_-]{10,80}\.[A-Za-z0-9_-]{10,240}\.[A-Za-z0-9_-]{43}$/;
const ownerGrammar = /^[A-Za-z0-9_-]{11}$/;

export function createLinks({ keys, linkHours }: LinksOptions): Links {
  const [current, ...earlier] = keys;
  const newest = keyOf(current);
  const known = new Map([...earlier.map(keyOf), newest].map((key) => [key.id, key]));

  const kept = new Map<string, string>();

  function sign(device: DeviceId, account: string, expiresAt: number): string {
    const claims = { sub: device, own: ownerOf(newest, device, account), exp: expiresAt / 1000 };
    return jsonwebtoken.sign(claims, newest.secret, {
      algorithm: "HS256",
      audience,
      noTimestamp: true,
      // Without `typ`, which says nothing: the text of a notice has 2 KB in all.
      header: { alg: "HS256", typ: undefined, kid: newest.id },
    });
  }

  return {
    make({ device, account, at, until }): string {
      const from = Math.max(at.getTime(), Math.min(until?.getTime() || 0, at.getTime() + LINK_AHEAD_LIMIT_MS));
      // To the end of a day: the same notice has the same link all day, on every node.
      const expiresAt = Math.ceil((from + linkHours * hourMs) / dayMs) * dayMs;
      const name = `${expiresAt} ${device} ${account}`;
      const token = kept.get(name) ?? sign(device, account, expiresAt);
      kept.set(name, token);
      const [first] = kept.keys();
      if (first !== undefined && kept.size > KEPT_LINKS_LIMIT) kept.delete(first);
      return token;
    },
    read(token, now): LinkReading {
      if (token.length > TOKEN_LIMIT_CHARS || !tokenGrammar.test(token)) return { kind: "unreadable" };
      const key = known.get(keyIdIn(token) ?? "");
      if (key === undefined) return { kind: "unreadable" };
      try {
        const claims = jsonwebtoken.verify(token, key.secret, {
          algorithms: ["HS256"],
          audience,
          clockTimestamp: Math.floor(now.getTime() / 1000),
        });
        const link = linkOf(claims, key);
        return link === undefined ? { kind: "unreadable" } : { kind: "good", link };
      } catch (error) {
        // The signature is looked at first: what is too old was ours.
        return { kind: error instanceof jsonwebtoken.TokenExpiredError ? "too-old" : "unreadable" };
      }
    },
  };
}

function keyOf(material: Uint8Array): Key {
  const id = createHash("sha256").update("kid ").update(material).digest("base64url").slice(0, 6);
  return { id, secret: createSecretKey(material) };
}

/** 64 bits: one has to be guessed for a certain phone, and it is signed besides. */
function ownerOf({ secret }: Key, device: DeviceId, account: string): string {
  return createHmac("sha256", secret).update(`${device} ${account}`).digest().subarray(0, 8).toString("base64url");
}

/** Nothing is believed of it but which of our own keys is to be tried. */
function keyIdIn(token: string): string | undefined {
  try {
    return jsonwebtoken.decode(token, { complete: true })?.header.kid;
  } catch {
    return undefined;
  }
}

function linkOf(claims: unknown, key: Key): Link | undefined {
  if (typeof claims !== "object" || claims === null) return undefined;
  if (!("sub" in claims) || !("own" in claims) || !("exp" in claims)) return undefined;
  const { sub, own, exp } = claims;
  const device = typeof sub === "string" ? toDeviceId(sub) : undefined;
  // A link without an end would be one for ever: `verify` looks at `exp` only where there is one.
  if (device === undefined || device !== sub || typeof exp !== "number" || !Number.isSafeInteger(exp)) return undefined;
  if (typeof own !== "string" || !ownerGrammar.test(own)) return undefined;
  return {
    device,
    expiresAt: new Date(exp * 1000),
    isFor: (account) => timingSafeEqual(Buffer.from(ownerOf(key, device, account)), Buffer.from(own)),
  };
}
