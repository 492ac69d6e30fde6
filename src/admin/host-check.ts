/**
 * Which requests may come to the API at all. A page on the web can make a browser call addresses of the operator's network, under a
 * name of its own that it lets point there (DNS rebinding): so names are listed, and pages of other origins are refused.
 */
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { Problem } from "./problem.ts";

/** @param hosts lower-case names without ports. @throws Problem */
export function checkHost({ host, origin }: IncomingHttpHeaders, hosts: readonly string[]): void {
  const [, name = "", port = ""] = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/.exec((host ?? "").toLowerCase()) ?? [];
  // Nobody can make a browser say an address that is not the one it calls.
  const isKnown = name === "localhost" || isIP(name.replaceAll(/[[\]]/g, "")) !== 0 || hosts.includes(name);
  if (!isKnown) throw new Problem("wrong-host", { detail: "list the name in admin.hosts" });
  if (origin !== undefined && !["http", "https"].some((scheme) => origin === `${scheme}://${name}${port}`))
    throw new Problem("cross-origin");
}
