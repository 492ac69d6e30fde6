/**
 * Addresses in upstream's headers. Behind a gate a mail server still names itself, and a client that follows such a name
 * either gets nowhere or gets around the gate. Pure; nothing is ever followed.
 */

export interface LocationRewrite {
  /** Origins by which upstream may call itself; only their host names are compared, since it may not know its own port or scheme. */
  readonly upstreamOrigins: readonly string[];
  /** What clients call the gate: `https://mail.corp.example`. */
  readonly publicOrigin: string;
}

const activeSyncPath = "/Microsoft-Server-ActiveSync";

/**
 * `Location` and `Content-Location`: an upstream host becomes the public one, path and all. Other hosts stay (a login page
 * elsewhere is where a browser has to go), and so does what names no host. Undefined: no address that can be read in one way,
 * so the header is left out.
 */
export function rewriteLocation(value: string, { upstreamOrigins, publicOrigin }: LocationRewrite): string | undefined {
  const url = parse(value);
  if (url === undefined) return undefined;
  if (url.hostname === nowhere) return value;
  if (!isWeb(url) || !upstreamOrigins.some((origin) => new URL(origin).hostname === url.hostname)) return value;
  return new URL(publicOrigin).origin + url.pathname + url.search + url.hash;
}

/**
 * `X-MS-Location`, with which a server sends a phone to another server (HTTP 451, MS-ASHTTP 3.1.5.2.2). Whatever host it
 * names, the phone stays with the gate: a phone that leaves is a phone that nobody judges. Undefined: it does not name
 * ActiveSync, so the header is left out, and the phone asks Autodiscover.
 */
export function rewriteActiveSyncLocation(value: string, { publicOrigin }: LocationRewrite): string | undefined {
  const url = parse(value);
  if (url === undefined || !isWeb(url)) return undefined;
  const path = url.pathname.toLowerCase().replace(/\/$/, "");
  return path === activeSyncPath.toLowerCase() ? new URL(publicOrigin).origin + activeSyncPath : undefined;
}

/** RFC 2606: never a real host. What is relative ends up there. */
const nowhere = "relative.invalid";

/** As a browser reads it, so that `//host`, `/\host` and `https:host` are the hosts that it would go to. */
function parse(value: string): URL | undefined {
  // Browsers drop tabs and line ends out of the middle of an address; nobody else does.
  if (!/^[\x21-\x7e]+$/.test(value)) return undefined;
  const base = `https://${nowhere}`;
  return URL.canParse(value, base) ? new URL(value, base) : undefined;
}

function isWeb({ protocol }: URL): boolean {
  return protocol === "https:" || protocol === "http:";
}
