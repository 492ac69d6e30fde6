/** Addresses in Autodiscover answers: which of them a client may see, and what the others become. */

export interface AddressRewrite {
  /** Lower-case host names by which upstream may call itself. */
  readonly upstreamHosts: ReadonlySet<string>;
  /** What clients call the gate: `https://mail.corp.example`. */
  readonly publicOrigin: string;
}

const activeSyncPath = "/Microsoft-Server-ActiveSync";

/**
 * An address as a client may see it, or undefined where the text is no web address.
 * - ActiveSync is always at the gate, whatever host the answer names: a phone that leaves is a phone that nobody judges.
 * - Everything else keeps its host if that is a public one (an address book on another server), and otherwise becomes the gate's.
 */
export function publicAddress(text: string, rewrite: AddressRewrite): string | undefined {
  const url = webAddress(text);
  if (url === undefined) return undefined;
  if (isActiveSync(url)) return activeSyncAddress(rewrite);
  if (!rewrite.upstreamHosts.has(url.hostname) && isPublicHost(url.hostname)) return text;
  return rewrite.publicOrigin + url.pathname + url.search + url.hash;
}

export function activeSyncAddress({ publicOrigin }: AddressRewrite): string {
  return publicOrigin + activeSyncPath;
}

/** A redirect: as above, but what names no host stays as it is. Undefined: it cannot be read in one way. */
export function publicLocation(value: string, rewrite: AddressRewrite): string | undefined {
  const base = "https://relative.invalid";
  if (!/^[\x21-\x7e]+$/.test(value) || !URL.canParse(value, base)) return undefined;
  const url = new URL(value, base);
  return url.origin === base ? value : (publicAddress(url.href, rewrite) ?? value);
}

/** `Server` and its like hold a bare host name. Only upstream's own are changed: others are names within the mail system. */
export function publicHost(text: string, { upstreamHosts, publicOrigin }: AddressRewrite): string | undefined {
  return upstreamHosts.has(text.trim().toLowerCase()) ? new URL(publicOrigin).hostname : undefined;
}

function webAddress(text: string): URL | undefined {
  const trimmed = text.trim();
  // "https:host" and "https:\\host" too: some clients read them as browsers do.
  if (!/^https?:/i.test(trimmed) || !URL.canParse(trimmed)) return undefined;
  return new URL(trimmed);
}

function isActiveSync({ pathname }: URL): boolean {
  return pathname.toLowerCase().startsWith(activeSyncPath.toLowerCase());
}

/** Endings that no public name has (RFC 6762 appendix G, RFC 6761, RFC 8375, ICANN's `internal`). */
const privateEndings = [
  ".local",
  ".localdomain",
  ".localhost",
  ".internal",
  ".intranet",
  ".private",
  ".corp",
  ".home",
  ".lan",
  ".home.arpa",
] as const;

/** A name without a dot, a private ending or a bare address is of no use outside, and tells strangers what is inside. */
function isPublicHost(hostname: string): boolean {
  const host = hostname.replace(/\.$/, "");
  if (!host.includes(".") || host.startsWith("[")) return false;
  // `new URL` has turned every spelling of an IPv4 address into this one.
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return false;
  return !privateEndings.some((ending) => host.endsWith(ending));
}
