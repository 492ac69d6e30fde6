/**
 * Keys of ours that stand for one of upstream's. A phone that gets the notice gets such a key with it, and comes back with it
 * once it has the notice; upstream is then asked with the key that it knows.
 */
import { createHash } from "node:crypto";
import type { ShadowKey, WarningState } from "../store/store.ts";
import { isElement } from "./document.ts";
import type { GatewayKeyOwner, GatewayKeys } from "./gateway-key.ts";
import { decode, encode } from "./wbxml.ts";
import type { Element } from "./wbxml.ts";

/** What a phone says by its key. */
export interface Presented {
  /** The key that upstream knows; "0" for a folder that starts anew. */
  readonly real: string;
  /** The revision of the notice that a phone with this key shows. */
  readonly shows: number | undefined;
}

/**
 * Undefined for every key that stands for nothing. The key before the newest one counts too: the answer that carried the newest
 * may have been lost (MS-ASCMD 3.1.5.9).
 */
export function presentedBy(key: string, warning: WarningState | undefined): Presented | undefined {
  const shadow = warning?.shadow;
  if (shadow === undefined) return undefined;
  if (key === shadow.key) return shadow;
  return key === shadow.before?.key ? { real: shadow.real, shows: shadow.before.shows } : undefined;
}

export interface NextShadow {
  readonly keys: GatewayKeys;
  readonly owner: GatewayKeyOwner;
  /** The key of the request: upstream's, or one of ours. */
  readonly asked: string;
  readonly from: Presented;
  readonly shows: number | undefined;
  readonly missed: string | undefined;
}

/**
 * A pure function of the key that the phone asked with and of what it is shown: a repeated request gets the same key on every
 * node, and every other answer gets another one.
 */
export function nextShadow({ keys, owner, asked, from, shows, missed }: NextShadow): ShadowKey {
  const digest = createHash("sha256").update(asked).digest();
  const state = shows === undefined ? 1 : 2 * shows;
  return {
    key: keys.issue(owner, { state, touches: digest.readUInt32BE() }),
    real: from.real,
    shows,
    before: asked === from.real ? undefined : { key: asked, shows: from.shows },
    missed,
  };
}

/** 3 KiB, as base64 4: real options have some 60 bytes. */
const missedLimitBytes = 3_072;

/**
 * The options of a request that upstream does not get to see. They hold until others are said (MS-ASCMD 2.2.3.125.5), so they are
 * given to upstream with the next request if the phone does not repeat them.
 */
export function packOptions(collection: Element): "none" | "too-many" | { readonly missed: string } {
  const options = collection.content.filter((part) => isElement(part) && part.tag === "AirSync:Options");
  if (options.length === 0) return "none";
  const bytes = encode({ tag: "AirSync:Collection", content: options });
  return bytes.byteLength > missedLimitBytes ? "too-many" : { missed: bytes.toString("base64") };
}

export function unpackOptions(missed: string): readonly Element[] {
  return decode(Buffer.from(missed, "base64")).content.filter(isElement);
}
