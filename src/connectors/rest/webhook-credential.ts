/** How a system that does not sign its webhooks shows who it is: by a header, or a name and password, that an operator has set there. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { basicCredential } from "./authentication.ts";

export type WebhookCredential =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  /** `name` in small letters. */
  | { readonly kind: "header"; readonly name: string; readonly value: string };

/** Whether these headers have it, in a time that says nothing about it. */
export function createWebhookCheck(credential: WebhookCredential): (headers: ReadonlyMap<string, string>) => boolean {
  const [name, value] =
    credential.kind === "basic"
      ? ["authorization", basicCredential(credential.username, credential.password)]
      : [credential.name, credential.value];
  return (headers) => isSame(headers.get(name) ?? "", value);
}

const comparing = randomBytes(32);

/** Whether two texts are the same. Their digests are compared, whose lengths say nothing. */
export function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Uint8Array => createHmac("sha256", comparing).update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
