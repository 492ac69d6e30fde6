/** Whether a webhook comes from the management system. All comparisons take the same time whatever is wrong. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { ReceivedRequest } from "../../inventory/connector.ts";

export interface WebhookSecrets {
  /** Any of them may have signed: the old and the new key while they are exchanged. Empty: nothing is signed. */
  readonly hmacKeys: readonly string[];
  /** A word that only the management system knows, behind the source's own path. Undefined: nothing stands there. */
  readonly pathSecret: string | undefined;
}

/** @throws RangeError where anybody could send: neither a key nor a word. */
export function createWebhookProof({ hmacKeys, pathSecret }: WebhookSecrets): (request: ReceivedRequest) => boolean {
  if (hmacKeys.length === 0 && pathSecret === undefined) throw new RangeError("a webhook without any secret");
  const path = digest(pathSecret === undefined ? "" : `/${pathSecret}`);
  return (request) => {
    const isPath = timingSafeEqual(digest(request.path), path);
    return isSigned(request, hmacKeys) && isPath;
  };
}

/** NanoMDM signs the bytes of the body (HMAC with SHA-256) and writes the signature in base64. */
function isSigned({ headers, body }: ReceivedRequest, keys: readonly string[]): boolean {
  const written = digest(headers.get("x-hmac-signature") ?? "");
  const matches = keys.filter((key) =>
    timingSafeEqual(digest(createHmac("sha256", key).update(body).digest("base64")), written),
  );
  return keys.length === 0 || matches.length > 0;
}

/** Of one length, as the comparison needs it. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
