/** How hosts, ports, networks and URLs are written. Each has one spelling that every parser reads in the same way. */
import { isIPv4, isIPv6 } from "node:net";
import { bad, good } from "./reading.ts";
import type { Reading } from "./reading.ts";

export interface ListenAddress {
  /** An IPv6 address without brackets. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** The arguments of `BlockList.addSubnet`. */
export interface Network {
  readonly address: string;
  readonly prefixLength: number;
  readonly family: "ipv4" | "ipv6";
}

/** RFC 1035, 2.3.4. */
const HOST_NAME_LIMIT = 253;
const PORT_LIMIT = 65_535;

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
// Names inside a container network may have underscores. Nobody can register one, so they are for connecting only.
const innerLabel = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** A name whose last label is a number is an address in a short or octal form to some parsers (`127.1`, `0x7f.1`). */
function isName(text: string, labelGrammar: RegExp): boolean {
  const labels = text.toLowerCase().split(".");
  const last = labels.at(-1) ?? "";
  return (
    text.length <= HOST_NAME_LIMIT && labels.every((part) => labelGrammar.test(part)) && !/^(\d+|0x.*)$/.test(last)
  );
}

function isBracketed(text: string): boolean {
  return text.startsWith("[") && text.endsWith("]") && isIPv6(text.slice(1, -1)) && !text.includes("%");
}

function isConnectable(host: string): boolean {
  return isIPv4(host) || isBracketed(host) || isName(host, innerLabel);
}

export function readListen(text: string): Reading<ListenAddress> {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, Math.max(colon, 0));
  const port = text.slice(colon + 1);
  if (!(isIPv4(host) || isBracketed(host) || isName(host, label)) || !/^\d{1,5}$/.test(port)) {
    return bad('must be an address and a port, such as 127.0.0.1:8080 or "[::1]:8080"');
  }
  if (Number(port) > PORT_LIMIT) return bad(`must have a port from 0 to ${PORT_LIMIT}`);
  return good({ host: host.replaceAll(/[[\]]/g, "").toLowerCase(), port: Number(port) });
}

/** As it stands in a Host header, without the port. */
export function readPublicHost(text: string): Reading<string> {
  if (isIPv4(text) || isBracketed(text) || isName(text, label)) return good(text.toLowerCase());
  return bad("must be a host name without scheme or port, such as mail.corp.example; other scripts as xn--…");
}

export function readDomain(text: string): Reading<string> {
  if (isName(text, label)) return good(text.toLowerCase());
  return bad("must be a DNS domain, such as corp.example; other scripts as xn--…");
}

/** An address with a prefix length, or one address alone. */
export function readNetwork(text: string): Reading<Network> {
  const [address = "", prefix, ...rest] = text.split("/");
  const bits = bitsOf(address);
  const wellFormed = rest.length === 0 && (prefix === undefined || /^\d{1,3}$/.test(prefix));
  if (bits === undefined || !wellFormed) return bad("must be a network, such as 10.0.0.0/8 or 2001:db8::/32");
  // An IPv4 address in IPv6 clothes (RFC 4291, 2.5.5.2): two ways to write one network are one too many.
  if (/^0{80}1{16}/.test(bits)) return bad("must be written as an IPv4 network");
  const prefixLength = prefix === undefined ? bits.length : Number(prefix);
  if (prefixLength > bits.length) return bad(`must have a prefix length of at most ${bits.length}`);
  if (prefixLength === 0) return bad("would believe everybody: then any client chooses the address it is known by");
  if (bits.slice(prefixLength).includes("1"))
    return bad("has bits set beyond its prefix length; which network is meant?");
  return good({ address, prefixLength, family: bits.length === 32 ? "ipv4" : "ipv6" });
}

/** The address as text of 32 or 128 binary digits. */
function bitsOf(address: string): string | undefined {
  if (isIPv4(address)) return address.split(".").map(binary(8)).join("");
  if (!isIPv6(address) || address.includes("%")) return undefined;
  // The URL parser writes an embedded IPv4 tail as two hexadecimal groups.
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const before = groups(head);
  const after = groups(tail ?? "");
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  const all = [...before, ...Array.from({ length: missing }, () => "0"), ...after];
  return all.map((group) => binary(16)(String(Number.parseInt(group, 16)))).join("");
}

function binary(width: number): (decimal: string) => string {
  return (decimal) => Number(decimal).toString(2).padStart(width, "0");
}

/** For editors; the reader looks closer. */
export const upstreamPattern = "^https?://[^\\s?#@]+$";

/** Where the gate connects to. A path is put in front of every path that is forwarded. */
export function readUpstreamUrl(text: string): Reading<URL> {
  if (text.includes("@")) return bad("must not hold a user name or a password");
  if (/[?#]/.test(text)) return bad("must have no query and no fragment");
  return readHttpUrl(
    text,
    /^https?$/,
    isConnectable,
    "must be a URL, such as http://mail.internal or https://10.0.0.5:8443",
  );
}

/** The address by which phones know the gate: nothing after the port, because paths are the protocols' own. */
export function readPublicUrl(text: string): Reading<URL> {
  const problem = "must be an https URL without a path, such as https://mail.corp.example";
  const url = readHttpUrl(text, /^https$/, (host) => readPublicHost(host).ok, problem);
  return url.ok && url.value.pathname !== "/" ? bad(problem) : url;
}

function readHttpUrl(text: string, scheme: RegExp, isHost: (host: string) => boolean, problem: string): Reading<URL> {
  // Matched whole before the URL parser sees it: that one repairs backslashes, tabs, missing slashes and much else.
  const parts = /^([a-z]+):\/\/(\[[^\]]*\]|[^:/]+)(?::(\d{1,5}))?((?:\/[A-Za-z0-9._~-]+)*)\/?$/i.exec(text);
  const [, given = "", host = "", port, path = ""] = parts ?? [];
  if (parts === null || !scheme.test(given) || !isHost(host) || /\/\.{1,2}(\/|$)/.test(path)) return bad(problem);
  if (port !== undefined && (Number(port) === 0 || Number(port) > PORT_LIMIT)) return bad(problem);
  const url = `${given}://${host}${port === undefined ? "" : `:${port}`}${path}`;
  // The parser has the last word on labels that begin with xn--.
  return URL.canParse(url) ? good(new URL(url)) : bad(problem);
}

/** A page for people. It is printed into mail and HTML: no spaces, quotes or angle brackets may stand in it. */
export function readHelpUrl(text: string): Reading<URL> {
  const problem = "must be an https URL without user name, such as https://help.corp.example/phones";
  if (!/^https:\/\/[A-Za-z0-9._~:/?#[\]@!$&()*+,;=%-]+$/.test(text) || !URL.canParse(text)) return bad(problem);
  const url = new URL(text);
  const host = readPublicHost(url.hostname);
  return host.ok && url.username === "" && url.password === "" ? good(url) : bad(problem);
}

export interface SmtpAddress {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte. */
  readonly tls: boolean;
}

/** RFC 5321 and RFC 8314: between servers, and for who logs in. */
const smtpPorts = { smtp: 25, smtps: 465 } as const;

export function readSmtpUrl(text: string): Reading<SmtpAddress> {
  const problem = "must be a URL such as smtp://mail.internal:25 or smtps://mail.corp.example, without user name";
  const [, scheme, host = "", port] = /^(smtps?):\/\/(\[[^\]]*\]|[^:/@]+)(?::(\d{1,5}))?\/?$/.exec(text) ?? [];
  if ((scheme !== "smtp" && scheme !== "smtps") || !isConnectable(host)) return bad(problem);
  const number = port === undefined ? smtpPorts[scheme] : Number(port);
  if (number === 0 || number > PORT_LIMIT) return bad(problem);
  return good({ host: host.replaceAll(/[[\]]/g, "").toLowerCase(), port: number, tls: scheme === "smtps" });
}

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** Redis numbers its databases from 0; 16 is its default, and its configuration may raise it. */
const REDIS_DATABASE_LIMIT = 9999;

export function readRedisUrl(text: string): Reading<RedisAddress> {
  const grammar =
    /^(rediss?):\/\/(?:([^:@/\s]*)(?::([^:@/\s]*))?@)?(\[[^\]]*\]|[^:/@\s]+)(?::(\d{1,5}))?(?:\/(\d{1,4})?)?$/;
  const parts = grammar.exec(text);
  const [, scheme, user, password, host = "", port = "6379", database = "0"] = parts ?? [];
  const credentials = decodeAll([user ?? "", password ?? ""]);
  if (parts === null || credentials === undefined || !isConnectable(host) || Number(database) > REDIS_DATABASE_LIMIT) {
    return bad(
      "must be redis:// or rediss://, then host, port and database, such as redis://127.0.0.1:6379/0; " +
        "in a password write @ : / % as %40 %3A %2F %25",
    );
  }
  if (Number(port) === 0 || Number(port) > PORT_LIMIT) return bad(`must have a port from 1 to ${PORT_LIMIT}`);
  return good({
    host: host.replaceAll(/[[\]]/g, ""),
    port: Number(port),
    database: Number(database),
    tls: scheme === "rediss",
    username: credentials[0] || undefined,
    password: credentials[1] || undefined,
  });
}

function decodeAll(texts: readonly string[]): string[] | undefined {
  try {
    return texts.map((text) => decodeURIComponent(text));
  } catch {
    // The only way to fail is a percent sign that begins no UTF-8 character.
    return undefined;
  }
}
