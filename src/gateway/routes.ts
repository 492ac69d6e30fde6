/** The allow-list: a path that no route names does not exist. */
import { Refusal } from "./errors.ts";
import type { Protocol } from "./protocol.ts";
import { encodeSegment } from "./target.ts";
import type { Target } from "./target.ts";
import type { Upstream } from "./upstream.ts";

export interface Route {
  /** As configured: `/Microsoft-Server-ActiveSync`. Matched without case, forwarded in this spelling. */
  readonly path: string;
  readonly protocol: Protocol;
  readonly upstream: Upstream;
  readonly websocket: boolean;
  /** Sub-paths that are not routed although they lie below `path`. */
  readonly except: readonly string[];
}

export interface Routed {
  readonly route: Route;
  /** Canonical: the route's own spelling, then what follows it. */
  readonly path: string;
}

interface Entry {
  readonly route: Route;
  readonly segments: readonly string[];
  readonly except: readonly (readonly string[])[];
}

export function createRoutes(routes: readonly Route[]): (target: Target) => Routed {
  const entries: Entry[] = routes
    .map((route) => ({ route, segments: fold(route.path), except: route.except.map(fold) }))
    // The longest first, so that a route below another one is found.
    .toSorted((a, b) => b.segments.length - a.segments.length);

  return function route(target: Target): Routed {
    const folded = target.segments.map((segment) => segment.toLowerCase());
    const entry = entries.find(({ segments }) => startsWith(folded, segments));
    if (entry === undefined || entry.except.some((except) => startsWith(folded, except))) {
      throw new Refusal("not-routed", 404, "no route for the path");
    }
    const tail = target.segments.slice(entry.segments.length).map(encodeSegment);
    const path = [entry.route.path, ...tail].join("/");
    return { route: entry.route, path: target.trailingSlash ? `${path}/` : path };
  };
}

function fold(path: string): string[] {
  return path
    .toLowerCase()
    .split("/")
    .filter((segment) => segment !== "");
}

function startsWith(segments: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((segment, index) => segments[index] === segment);
}
