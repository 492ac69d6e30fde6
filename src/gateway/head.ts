/** The header lines of a request: each name once, only what may go upstream, nothing that speaks for somebody else. */
import { Refusal } from "./errors.ts";

/** 100 lines: real clients send under 30. */
export const HEADER_LINES_LIMIT = 100;
/** 1 KiB: the longest real User-Agent stays under 400 bytes. */
export const USER_AGENT_LIMIT_BYTES = 1024;

/**
 * Letters, digits and hyphens. `_` and `.` are refused because servers that hand headers on as variables cannot tell
 * `X_Forwarded_User` and `X.Forwarded.User` from `X-Forwarded-User`; the other token characters no mail client uses.
 */
const nameGrammar = /^[a-z0-9-]{1,128}$/;

/** May come in several lines that mean the same as one list (RFC 9110, 5.3). Everything else comes once or not at all. */
const lists: ReadonlyMap<string, string> = new Map([
  ["accept", ", "],
  ["accept-charset", ", "],
  ["accept-encoding", ", "],
  ["accept-language", ", "],
  ["cache-control", ", "],
  ["cookie", "; "],
  ["if-none-match", ", "],
  ["if-match", ", "],
  ["via", ", "],
  ["x-forwarded-for", ", "],
]);

/** Belong to one connection (RFC 9110, 7.6.1), or are answered here (`Expect`). */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What a client may say in `Connection`. Any other word could remove a header that a server relies on. */
const connectionWords: ReadonlySet<string> = new Set(["close", "keep-alive", "te", "upgrade"]);

/** Headers by which one program in front of a mail server tells another one what to believe. Never a client's to send. */
const internal: ReadonlySet<string> = new Set([
  "base-url",
  "cf-connecting-ip",
  "client-ip",
  "destination",
  "fastly-client-ip",
  "forwarded",
  "front-end-https",
  "host-override",
  "remote-user",
  "true-client-ip",
  "x-client-ip",
  "x-clientip",
  "x-cluster-client-ip",
  "x-commonaccesstoken",
  "x-custom-ip-authorization",
  "x-forwarded",
  "x-host",
  "x-http-destinationurl",
  "x-http-host-override",
  "x-http-method",
  "x-http-method-override",
  "x-isfromcafe",
  "x-method-override",
  "x-ms-client-cert",
  "x-original-host",
  "x-original-uri",
  "x-original-url",
  "x-originating-ip",
  "x-override-url",
  "x-owa-explicitlogonuser",
  "x-proxy-url",
  "x-real-ip",
  "x-remote-addr",
  "x-remote-ip",
  "x-remote-user",
  "x-rewrite-url",
  "x-user",
  "x-wap-profile",
]);
const internalPrefixes = [
  "x-auth-",
  "x-authenticated-",
  "x-forwarded-",
  "x-postern-",
  "x-ssl-",
  "x-webobjects-",
] as const;

/**
 * Cookies by which Exchange's own front end was told where to go and as whom (CVE-2021-26855, CVE-2021-33766). Nobody who reads
 * mail sends them; patching remains the operator's.
 */
const internalCookies: ReadonlySet<string> = new Set([
  "securitytoken",
  "x-anonresource",
  "x-anonresource-backend",
  "x-beresource",
]);

/** Those that say something when one came twice. Other names a client may have made up, and a log is no place for its words. */
const telling: ReadonlySet<string> = new Set([
  "authorization",
  "content-encoding",
  "content-length",
  "content-type",
  "host",
  "ms-asprotocolversion",
  "user-agent",
  "x-ms-policykey",
]);

const hostGrammar = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/;

export interface Head {
  /** Lower-case names; only end-to-end headers that may go upstream. `x-forwarded-*` of the client are not among them. */
  readonly headers: ReadonlyMap<string, string>;
  readonly host: string;
  /** As sent, for the one place that knows whether the peer may be believed. */
  readonly forwardedFor: string | undefined;
  readonly wantsUpgrade: string | undefined;
  readonly hasBody: boolean;
}

/** @param rawHeaders name, value, name, value … as they came (`IncomingMessage.rawHeaders`). */
export function parseHead(method: string, rawHeaders: readonly string[]): Head {
  if (rawHeaders.length / 2 > HEADER_LINES_LIMIT) throw new Refusal("head-too-large", 431, "too many header lines");
  const all = collect(rawHeaders);
  checkConnection(all);
  const hasBody = checkFraming(method, all);
  const headers = new Map<string, string>();
  for (const [name, value] of all) {
    if (hopByHop.has(name) || isInternal(name)) continue;
    const kept = name === "cookie" ? withoutInternalCookies(value) : value;
    if (kept !== "") headers.set(name, kept);
  }
  return {
    headers,
    host: checkHost(all.get("host")),
    forwardedFor: all.get("x-forwarded-for"),
    wantsUpgrade: all.get("upgrade"),
    hasBody,
  };
}

function collect(rawHeaders: readonly string[]): Map<string, string> {
  const all = new Map<string, string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    const value = rawHeaders[index + 1] ?? "";
    if (!nameGrammar.test(name)) throw refused("header name outside the grammar");
    const before = all.get(name);
    const separator = lists.get(name);
    if (before !== undefined && separator === undefined)
      throw refused(`${telling.has(name) ? name : "a header"} came twice`);
    all.set(name, before === undefined ? value : `${before}${separator ?? ""}${value}`);
  }
  if ((all.get("user-agent")?.length ?? 0) > USER_AGENT_LIMIT_BYTES) throw refused("user-agent too long");
  return all;
}

function checkConnection(all: ReadonlyMap<string, string>): void {
  for (const word of (all.get("connection") ?? "").split(",")) {
    const name = word.trim().toLowerCase();
    if (name !== "" && !connectionWords.has(name)) throw refused("connection names a header");
  }
  const expectation = all.get("expect");
  if (expectation !== undefined && expectation.toLowerCase() !== "100-continue") {
    throw new Refusal("expectation-refused", 417, "unknown expectation");
  }
}

/** Node's parser refuses most disagreements on the length of a body already; what is left to be read in two ways is refused here. */
function checkFraming(method: string, all: ReadonlyMap<string, string>): boolean {
  const coding = all.get("transfer-encoding");
  const length = all.get("content-length");
  if (coding !== undefined && coding.toLowerCase() !== "chunked") throw refused("transfer coding other than chunked");
  if (coding !== undefined && length !== undefined) throw refused("two ways to frame the body");
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw refused("content-length is no number");
  const hasBody = coding !== undefined || (length !== undefined && Number(length) > 0);
  if (hasBody && (method === "GET" || method === "HEAD" || method === "OPTIONS")) {
    throw new Refusal("body-not-allowed", 400, `body on ${method}`);
  }
  return hasBody;
}

function checkHost(host: string | undefined): string {
  const folded = host?.toLowerCase();
  if (folded === undefined || !hostGrammar.test(folded))
    throw new Refusal("host-refused", 400, "host missing or malformed");
  return folded;
}

function isInternal(name: string): boolean {
  return internal.has(name) || internalPrefixes.some((prefix) => name.startsWith(prefix));
}

function withoutInternalCookies(value: string): string {
  const kept = value.split(";").filter((pair) => !internalCookies.has((pair.split("=")[0] ?? "").trim().toLowerCase()));
  return kept.join(";").trim();
}

function refused(detail: string): Refusal {
  return new Refusal("header-refused", 400, detail);
}
