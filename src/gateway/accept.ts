/** The first step: a request is read once, in one way, or refused. What comes out is all that anybody looks at, and all that goes upstream. */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { randomUUID } from "node:crypto";
import { parseCredential } from "./credential.ts";
import { Refusal } from "./errors.ts";
import { parseHead } from "./head.ts";
import type { Head } from "./head.ts";
import type { MailRequest, ProtocolName } from "./protocol.ts";
import type { Route, Routed } from "./routes.ts";
import { parseTarget } from "./target.ts";
import type { Target } from "./target.ts";

export interface ArriveOptions {
  /** Proxies in front of the gate, whose `X-Forwarded-For` is believed. */
  readonly isTrustedProxy: (address: string) => boolean;
  /** Public host names, lower-case. Empty: every well-formed one. */
  readonly hosts: ReadonlySet<string>;
}

/** A request whose target and head have been read, before it is known where it leads. */
export interface Arrived {
  readonly method: string;
  readonly target: Target;
  readonly head: Head;
  /** The nearest address that no proxy of ours has spoken for. */
  readonly clientAddress: string;
}

export type Arrive = (req: IncomingMessage) => Arrived;

export interface AcceptOptions {
  readonly route: (target: Target) => Routed;
  readonly encrypted: boolean;
}

export interface Accepted {
  readonly request: MailRequest;
  readonly route: Route;
  /** Present only where the route lets it through. */
  readonly upgrade: "websocket" | undefined;
}

const methods: Readonly<Record<ProtocolName, ReadonlySet<string>>> = {
  activesync: new Set(["OPTIONS", "POST"]),
  browser: new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
  ews: new Set(["POST"]),
  autodiscover: new Set(["GET", "POST"]),
};

/**
 * All that a phone's mail program has to say (MS-ASHTTP 2.2.1.1.2), and what belongs to HTTP. On the route that phones use a
 * list of what may pass is short, and a list of what may not would never be complete.
 */
const activeSyncHeaders: ReadonlySet<string> = new Set([
  "accept",
  "accept-charset",
  "accept-encoding",
  "accept-language",
  "authorization",
  "cache-control",
  "client-request-id",
  "content-encoding",
  "content-language",
  "content-length",
  "content-type",
  "cookie",
  "date",
  "host",
  "ms-asacceptmultipart",
  "ms-asprotocolversion",
  "pragma",
  "return-client-request-id",
  "user-agent",
  "x-anchormailbox",
  "x-ms-policykey",
  "x-ms-wl",
]);

/** @throws Refusal where anything of it can be read in two ways. */
export function createArrive({ isTrustedProxy, hosts }: ArriveOptions): Arrive {
  return function arrive(req: IncomingMessage): Arrived {
    const method = req.method ?? "";
    const target = parseTarget(req.url ?? "");
    const head = parseHead(method, req.rawHeaders);
    if (hosts.size > 0 && !hosts.has(withoutPort(head.host)))
      throw new Refusal("host-refused", 421, "host is not ours");
    return { method, target, head, clientAddress: clientOf(req.socket.remoteAddress ?? "", head.forwardedFor) };
  };

  function clientOf(peer: string, forwardedFor: string | undefined): string {
    if (forwardedFor === undefined || !isTrustedProxy(peer)) return peer;
    const hops = forwardedFor.split(",").map((hop) => hop.trim());
    const client = hops.findLast((hop) => isIP(hop) !== 0 && !isTrustedProxy(hop));
    return client ?? peer;
  }
}

export type Accept = (arrived: Arrived, req: IncomingMessage) => Accepted;

/** What leads to a mail server. @throws Refusal */
export function createAccept({ route: findRoute, encrypted }: AcceptOptions): Accept {
  return function accept({ method, target, head, clientAddress }: Arrived, req: IncomingMessage): Accepted {
    const { route, path } = findRoute(target);
    if (!methods[route.protocol.name].has(method)) {
      // 501, not 405: to mail clients 405 means nothing, and 501 is what ActiveSync servers say (MS-ASHTTP 2.2.2.1.1).
      throw new Refusal("method-not-allowed", 501, "method is not used by the protocol");
    }
    const credential = parseCredential(head.headers.get("authorization"));
    checkConnectionLogin(credential, route, req);
    const upgrade = checkUpgrade(head.wantsUpgrade, route);
    const peer = req.socket.remoteAddress ?? "";
    const mayPass = (name: string): boolean => route.protocol.name !== "activesync" || activeSyncHeaders.has(name);
    const headers = new Map([...head.headers].filter(([name]) => mayPass(name)));
    headers.set("x-forwarded-for", clientAddress === peer ? peer : `${clientAddress}, ${peer}`);
    headers.set("x-forwarded-proto", encrypted ? "https" : "http");
    headers.set("x-forwarded-host", head.host);
    return {
      request: {
        id: randomUUID(),
        method,
        path,
        query: target.query,
        headers,
        credential,
        clientAddress,
        hasBody: head.hasBody,
      },
      route,
      upgrade,
    };
  };
}

/** On a connection that somebody has logged in on, a name in a header is a second answer to the question who asks. */
function checkConnectionLogin({ scheme }: MailRequest["credential"], { upstream }: Route, req: IncomingMessage): void {
  if ((scheme === "basic" || scheme === "bearer") && upstream.pinFor(req.socket, false) !== undefined) {
    throw new Refusal("identity-ambiguous", 400, "a credential on a connection that is logged in already");
  }
}

function checkUpgrade(wanted: string | undefined, route: Route): "websocket" | undefined {
  if (wanted === undefined) return undefined;
  if (!route.websocket || wanted.toLowerCase() !== "websocket")
    throw new Refusal("upgrade-refused", 400, "upgrade not asked for by the route");
  return "websocket";
}

function withoutPort(host: string): string {
  return host.replace(/:\d{1,5}$/, "");
}
