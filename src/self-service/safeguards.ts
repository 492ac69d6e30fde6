/** What a browser is told, and asked, so that a page does nothing but what it is for. */
import { Refusal } from "../gateway/errors.ts";
import type { PageRequest } from "../gateway/own-pages.ts";
import { scriptPath, styleHash } from "./page.ts";

/** Nobody keeps such a page, frames it, or hears from where somebody came. */
export const alwaysSaid = [
  ["Cache-Control", "no-store"],
  ["Referrer-Policy", "no-referrer"],
  ["X-Content-Type-Options", "nosniff"],
  ["X-Frame-Options", "DENY"],
  ["X-Robots-Tag", "noindex, nofollow"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
] as const;

export function mustBe({ method }: PageRequest, ...methods: readonly PageRequest["method"][]): void {
  if (!methods.includes(method)) throw new Refusal("method-not-allowed", 405, "method is not used by the page");
}

/**
 * The token in the address is the secret, which no other site has. Where a browser says from where the form came, it must be our page all
 * the same. `Origin: null` is what it says of a page that sends no Referer, as ours does not.
 */
export function mustBeOurs({ headers, host }: PageRequest): void {
  const site = headers.get("sec-fetch-site")?.toLowerCase();
  const origin = headers.get("origin")?.toLowerCase();
  const isOurs = origin === undefined || origin === "null" || origin.replace(/^https?:\/\//, "") === host;
  if ((site !== undefined && site !== "same-origin" && site !== "none") || !isOurs)
    throw new Refusal("header-refused", 403, "form of another site");
}

/**
 * Only our own script runs, by its path: a mail server may have others on the same host. The host is named because a path cannot stand
 * behind 'self'; an IPv6 address cannot be named at all, and its page goes without.
 */
export function contentPolicy(host: string, publicUrl: URL): string {
  const scripts = [publicUrl.origin, ...(host.startsWith("[") ? [] : [host])].map((each) => each + scriptPath);
  return [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    `script-src ${scripts.join(" ")}`,
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
