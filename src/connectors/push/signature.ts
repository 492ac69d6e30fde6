/**
 * Who may push, by a signature over the raw bytes: `v1=<hex of HMAC-SHA256(secret, timestamp + "." + id + "." + body)>`. Several may stand
 * there, comma-separated, while keys are changed.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

export interface SignedParts {
  /** Unix seconds, as they were sent. */
  readonly timestamp: string;
  /** Unique for each delivery. */
  readonly id: string;
  readonly signatures: string;
}

/** 5 min: as far as clocks may differ, and a delivery may take. */
export const SKEW_LIMIT_MS = 300_000;
/** Signatures of one request; two are needed to change a key. */
const SIGNATURES_LIMIT = 8;

/** What the request says of itself, or undefined where it is not in this form. Nothing is proven yet. */
export function signedParts(headers: ReadonlyMap<string, string>): SignedParts | undefined {
  const timestamp = headers.get("postern-timestamp") ?? "";
  const id = headers.get("postern-id") ?? "";
  const signatures = headers.get("postern-signature") ?? "";
  const isReadable =
    /^\d{1,12}$/.test(timestamp) && /^[A-Za-z0-9._:-]{8,128}$/.test(id) && signatures.length <= SIGNATURES_LIMIT * 80;
  return isReadable ? { timestamp, id, signatures } : undefined;
}

/** Every key is tried against every signature, so that the time tells nothing about which was near. */
export function isSigned(
  { timestamp, id, signatures }: SignedParts,
  body: Uint8Array,
  secrets: readonly string[],
): boolean {
  const given = signatures
    .split(",")
    .slice(0, SIGNATURES_LIMIT)
    .flatMap((each) => /^v1=([0-9a-f]{64})$/.exec(each.trim())?.[1] ?? [])
    .map((hex) => Buffer.from(hex, "hex"));
  const expected = secrets.map((secret) =>
    createHmac("sha256", secret).update(`${timestamp}.${id}.`).update(body).digest(),
  );
  return expected.flatMap((one) => given.map((other) => timingSafeEqual(one, other))).includes(true);
}

export function isFresh({ timestamp }: SignedParts, now: Date): boolean {
  return Math.abs(Number(timestamp) * 1000 - now.getTime()) <= SKEW_LIMIT_MS;
}
