/**
 * Sync keys of our own. A key says by itself what the phone has seen of the quarantine mailbox, so any node can answer any
 * request, and a repeated request gets the same answer. The shape `{uuid}number` is what every client has met before.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

export interface GatewayKeyOwner {
  readonly account: string;
  readonly device: string;
  readonly collectionId: string;
}

/**
 * What a phone has seen of a folder. `state` 1: primed, nothing delivered; 2r: revision r of the notice delivered;
 * 2r + 1: delivered, and then deleted by the person. `touches` counts uploads, so that an answer to one has a new key.
 */
export interface GatewayKey {
  readonly state: number;
  readonly touches: number;
}

export interface GatewayKeys {
  issue(owner: GatewayKeyOwner, key: GatewayKey): string;
  /** Undefined for every key that is not ours for this owner: it is then a key of upstream, or a forgery. */
  read(owner: GatewayKeyOwner, text: string): GatewayKey | undefined;
}

/** The first group of the uuid, the same in every key: by it a key of ours is recognised wherever it turns up. */
const mark = "50535451";
const grammar = /^\{50535451-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})\}([1-9]\d{0,14})$/;

export const REVISION_LIMIT = 4999;
const statesPerTouch = 10_000;
/** Keeps a key under the 64 characters that every client stores, and its number exact. */
const touchesLimit = 1_000_000_000;

/** @param purpose keys for one purpose are none for another. */
export function createGatewayKeys(secret: Uint8Array, purpose: "sync-key" | "shadow-key" = "sync-key"): GatewayKeys {
  function tag({ account, device, collectionId }: GatewayKeyOwner): string {
    // A length before each part: no two owners make the same text.
    const text = [account, device, collectionId].map((part) => `${Buffer.byteLength(part)}:${part}`).join("");
    return createHmac("sha256", secret).update(`${purpose} `).update(text).digest("hex").slice(0, 24);
  }

  return {
    issue(owner, { state, touches }): string {
      const hex = tag(owner);
      const uuid = [mark, hex.slice(0, 4), hex.slice(4, 8), hex.slice(8, 12), hex.slice(12)].join("-");
      return `{${uuid}}${state + statesPerTouch * (touches % touchesLimit)}`;
    },
    read(owner, text): GatewayKey | undefined {
      const match = grammar.exec(text);
      if (match === null) return undefined;
      const claimed = match.slice(1, 5).join("");
      if (!timingSafeEqual(Buffer.from(claimed), Buffer.from(tag(owner)))) return undefined;
      const counter = Number(match[5]);
      const state = counter % statesPerTouch;
      return state === 0 ? undefined : { state, touches: Math.floor(counter / statesPerTouch) };
    },
  };
}

/** What shows a key to be ours. The brace comes once and first, so that a search for it never has to go back. */
export const keyMark = `{${mark}-`;

/** Whether a key bears our mark anywhere, whoever made it. Such a key never goes upstream. */
export function bearsMark(key: string): boolean {
  return key.includes(keyMark);
}
