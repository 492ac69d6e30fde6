/** Routes as they are written. */
import * as z from "zod";
import { readUpstreamUrl, upstreamPattern } from "./addresses.ts";
import { bad, good } from "./reading.ts";
import type { Reading } from "./reading.ts";
import { text } from "./schema-parts.ts";

export const ROUTES_LIMIT = 100;
const EXCEPT_LIMIT = 100;
const PATH_LIMIT = 256;

const pathPattern = "^(/[A-Za-z0-9._-]+)+$";

/** The self-service pages live there, on the same listener. */
const ownPath = "/postern";

/** Literal: matched without case and forwarded as written, so nothing in it may have a second reading. */
export function readRoutePath(written: string): Reading<string> {
  const segments = written.split("/").slice(1);
  const isLiteral = written.startsWith("/") && segments.every((segment) => /^[A-Za-z0-9._-]+$/.test(segment));
  if (!isLiteral || segments.some((segment) => /^\.+$/.test(segment)) || written.length > PATH_LIMIT) {
    return bad(
      "must be an absolute path of letters, digits and . _ - without a slash at its end, such as /owa; " +
        `at most ${PATH_LIMIT} characters`,
    );
  }
  if (isWithin(written, ownPath)) return bad(`must not be ${ownPath}: the gate's own pages are there`);
  return good(written);
}

/** Whether a path is another one, or lies below it. */
export function isWithin(path: string, parent: string): boolean {
  return `${path.toLowerCase()}/`.startsWith(`${parent.toLowerCase()}/`);
}

export const route = z
  .strictObject({
    path: text(readRoutePath, {
      description:
        "Absolute and literal, without a slash at its end. Matched without case, together with all below it.",
      examples: ["/Microsoft-Server-ActiveSync", "/owa"],
      pattern: pathPattern,
      maxLength: PATH_LIMIT,
    }),
    protocol: z.enum(["activesync", "browser", "ews", "autodiscover"]).meta({
      description:
        "Who is judged there: a device (activesync), a browser, a mail program (ews), or nobody (autodiscover).",
    }),
    upstream: text(readUpstreamUrl, {
      description: "Another mail server for this path. Default: upstream.url.",
      examples: ["http://webmail.internal"],
      pattern: upstreamPattern,
    }).optional(),
    websocket: z.boolean().meta({ description: "Whether a browser may open a WebSocket there." }).default(false),
    except: z
      .array(
        text(readRoutePath, {
          description: "One absolute path below the route.",
          examples: ["/SOGo/dav"],
          pattern: pathPattern,
        }),
      )
      .max(EXCEPT_LIMIT)
      .prefault([])
      .meta({ description: `Paths below the route that are not routed, up to ${EXCEPT_LIMIT}.` }),
  })
  .superRefine(({ path, protocol, websocket, except }, context) => {
    if (websocket && protocol !== "browser") {
      context.addIssue({ code: "custom", message: "is for browser routes only", path: ["websocket"] });
    }
    if (protocol === "ews" && !isWithin("/EWS/Exchange.asmx", path)) {
      context.addIssue({ code: "custom", message: "must be /EWS: mail programs know no other path", path: ["path"] });
    }
    for (const [index, excepted] of except.entries()) {
      if (isWithin(excepted, path) && !isWithin(path, excepted)) continue;
      context.addIssue({ code: "custom", message: "must lie below the path of its route", path: ["except", index] });
    }
  })
  .meta({ description: "One path and all below it." });

/** Exchange, and SOGo as many a small company runs it. Its DAV and its own ActiveSync path lead past every verdict. */
export const defaultRoutes: z.input<typeof route>[] = [
  { path: "/Microsoft-Server-ActiveSync", protocol: "activesync" },
  { path: "/owa", protocol: "browser" },
  { path: "/ecp", protocol: "browser" },
  { path: "/SOGo", protocol: "browser", except: ["/SOGo/dav", "/SOGo/Microsoft-Server-ActiveSync"] },
  { path: "/SOGo.woa", protocol: "browser", except: ["/SOGo.woa/dav", "/SOGo.woa/Microsoft-Server-ActiveSync"] },
  { path: "/EWS", protocol: "ews" },
  { path: "/autodiscover", protocol: "autodiscover" },
];
