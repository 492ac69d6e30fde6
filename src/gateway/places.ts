/** How many requests one client has worked on at once. Each held Ping occupies a place here and one upstream, for up to an hour. */
import { createHmac } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Accepted } from "./accept.ts";
import { Refusal } from "./errors.ts";
import { networkOf } from "./network.ts";
import type { Claim } from "./protocol.ts";

export interface PlacesOptions {
  readonly secret: Uint8Array;
  /** Where a trusted proxy brings the connections, nothing else counts them by client. */
  readonly perAddress: number;
  readonly perCredential: number;
}

/** A request that was read, and about which nothing is decided yet. */
export interface Arrival {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly accepted: Accepted;
  readonly claim: Claim;
}

interface Held {
  readonly mayPark: boolean;
  readonly res: ServerResponse;
}

/** Long enough for what is under way to end. */
const againSeconds = 30;

/** @returns what gives a request its place, until it is answered. Throws Refusal `too-many-requests`. */
export function createPlaces({ secret, perAddress, perCredential }: PlacesOptions): (arrival: Arrival) => void {
  const ofAddress = new Map<string, Set<Held>>();
  const ofCredential = new Map<string, Set<Held>>();

  return function takePlace({ res, accepted, claim }: Arrival): void {
    const { credential, clientAddress } = accepted.request;
    const held: Held = { mayPark: claim.mayPark, res };
    const network = networkOf(clientAddress);
    if ((ofAddress.get(network)?.size ?? 0) >= perAddress) throw tooMany();
    // By the password, not by the name: whoever only knows somebody's name takes none of their places. What logs a connection
    // in is another text each time, and has one request at a time.
    const hash =
      credential.authorization === undefined || credential.scheme === "connection"
        ? undefined
        : createHmac("sha256", secret).update(credential.authorization).digest("base64url");
    if (hash !== undefined) makeRoom(ofCredential.get(hash));
    enter(ofAddress, network, held);
    if (hash !== undefined) enter(ofCredential, hash, held);
  };

  /**
   * A phone that changes its network leaves its Ping behind, and nobody hears that it has gone. So the longest wait ends, and
   * the new request gets its place; where nothing waits, the new one has to.
   */
  function makeRoom(all: Set<Held> | undefined): void {
    if (all === undefined || all.size < perCredential) return;
    const longest = [...all].find(({ mayPark, res }) => mayPark && !res.headersSent);
    if (longest === undefined) throw tooMany();
    all.delete(longest);
    longest.res.destroy();
  }
}

function enter(all: Map<string, Set<Held>>, key: string, held: Held): void {
  const set = all.get(key) ?? new Set();
  all.set(key, set.add(held));
  held.res.once("close", () => {
    set.delete(held);
    if (set.size === 0 && all.get(key) === set) all.delete(key);
  });
}

function tooMany(): Refusal {
  return new Refusal("too-many-requests", 503, "one client has as many requests at once as it may have", againSeconds);
}
