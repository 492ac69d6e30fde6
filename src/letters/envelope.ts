/**
 * The envelope id of a letter: ENVID of RFC 3461 where the mail server knows it, and in any case the Message-ID. By it a
 * letter that comes back is known again. Nobody can make up that of somebody else's letter: most of it is chance.
 */
import { randomBytes } from "node:crypto";
import type { Envelope } from "../store/store.ts";

// 96 bits. With the run and the longest name of a campaign it stays within the 100 characters of an ENVID (RFC 3461, 4.4).
const SECRET_BYTES = 12;

const grammar = /(?<![\w.-])([0-9a-f]{24})\.(\d{1,9})\.([a-z0-9-]{1,64})(?![\w.-])/g;

export function newEnvelope({ campaign, run }: Pick<Envelope, "campaign" | "run">): Envelope {
  return { campaign, run, secret: randomBytes(SECRET_BYTES).toString("hex") };
}

export function envelopeIdOf({ campaign, run, secret }: Envelope): string {
  return `${secret}.${run}.${campaign}`;
}

/** All envelope ids in a text, in whichever case a server on the way has written them. */
export function readEnvelopes(text: string): readonly Envelope[] {
  return [...text.toLowerCase().matchAll(grammar)].map(([, secret = "", run = "", campaign = ""]) => ({
    campaign,
    run: Number(run),
    secret,
  }));
}
