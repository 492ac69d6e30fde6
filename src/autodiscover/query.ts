/**
 * What an Autodiscover request asks for. The shapes by which Exchange was led from here to its back end (ProxyShell,
 * CVE-2021-34473; ProxyNotShell, CVE-2022-41040) all put an `@` where no address belongs, or a path where one does. So an
 * address is an address, in one place; everything else is plain words; and what goes upstream is written anew from that.
 */
import { Refusal } from "../gateway/errors.ts";
import type { MailRequest } from "../gateway/protocol.ts";
import { parsePerson } from "../policy/person.ts";

export type AutodiscoverCommand = "pox" | "json";

export interface AutodiscoverQuery {
  readonly command: AutodiscoverCommand;
  readonly forwardQuery: string | undefined;
}

const poxPath = "/autodiscover/autodiscover.xml";
const jsonPath = "/autodiscover/autodiscover.json";
const jsonAddressPrefix = `${jsonPath}/v1.0/`;

/** 8: clients send three. */
const PARAMETER_LIMIT = 8;

const parameterName = /^[A-Za-z][A-Za-z0-9_-]{0,31}$/;
/** Words, numbers, versions: nothing that could be a path, an address or an escape. */
const plainValue = /^[A-Za-z0-9._~-]{0,64}$/;

/** @throws Refusal */
export function readAutodiscover({ method, path, query, headers }: MailRequest): AutodiscoverQuery {
  const folded = path.toLowerCase();
  const inPath = folded.startsWith(jsonAddressPrefix) ? decode(path.slice(jsonAddressPrefix.length)) : undefined;
  if (inPath !== undefined && !isAddress(inPath)) throw ambiguous("no address behind v1.0");
  // Exchange 2013 and later look for "Email" in query, form and cookies alike.
  if (/(?:^|[;,\s])email\s*=/i.test(headers.get("cookie") ?? "")) throw ambiguous("cookie named Email");
  if (inPath === undefined && /@|%40/i.test(path)) throw ambiguous("@ in the path");
  const command = commandOf(folded, inPath);
  if (command === "json" && method !== "GET")
    throw new Refusal("method-not-allowed", 501, "JSON is asked for with GET");
  return { command, forwardQuery: canonicalQuery(query, command, inPath) };
}

/** The SOAP service (`autodiscover.svc`) is left out: it answers in SOAP, and its clients fall back to XML. */
function commandOf(path: string, inPath: string | undefined): AutodiscoverCommand {
  if (path === poxPath) return "pox";
  if (path === jsonPath || inPath !== undefined) return "json";
  throw new Refusal("not-routed", 404, "no Autodiscover resource");
}

function canonicalQuery(
  query: string | undefined,
  command: AutodiscoverCommand,
  inPath: string | undefined,
): string | undefined {
  if (query === undefined || query === "") return undefined;
  const parts = query.split("&");
  if (parts.length > PARAMETER_LIMIT) throw ambiguous("too many parameters");
  const seen = new Set<string>();
  const written = parts.map((part) => {
    const mark = part.indexOf("=");
    const name = mark === -1 ? part : part.slice(0, mark);
    // Names are never escaped by real clients, and "Emai%6c" is one name to some readers and another one to others.
    if (!parameterName.test(name)) throw ambiguous("parameter name outside the grammar");
    const folded = name.toLowerCase();
    if (seen.has(folded)) throw ambiguous("parameter came twice");
    seen.add(folded);
    const value = mark === -1 ? "" : decode(part.slice(mark + 1));
    if (folded === "email" && command === "json") checkEmail(value, inPath);
    else if (!plainValue.test(value)) throw ambiguous("parameter value outside the grammar");
    return mark === -1 ? name : `${name}=${encodeURIComponent(value)}`;
  });
  return written.join("&");
}

function checkEmail(value: string, inPath: string | undefined): void {
  if (!isAddress(value)) throw ambiguous("Email is no address");
  if (inPath !== undefined && inPath.toLowerCase() !== value.toLowerCase()) throw ambiguous("two different addresses");
}

/** One account, one domain. The grammar of names has no slash, no "?" and no "%", which every one of those shapes needs. */
function isAddress(text: string): boolean {
  return !text.includes("\\") && parsePerson(text)?.domain !== undefined;
}

function decode(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw ambiguous("escapes are no UTF-8");
  }
}

function ambiguous(detail: string): Refusal {
  return new Refusal("target-ambiguous", 400, detail);
}
