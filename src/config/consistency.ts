/**
 * What no key can tell by itself: two keys that contradict each other. Of a tree that may have faults of every other kind
 * too, so each check looks only at what it needs, and says nothing where that cannot be read.
 */
import { readListen, readPublicHost, readPublicUrl, readRedisUrl, readUpstreamUrl } from "./addresses.ts";
import type { ListenAddress } from "./addresses.ts";
import type { Path } from "./fault.ts";
import type { Finding } from "./issues.ts";
import { checkPolicy } from "./policy-consistency.ts";
import type { Reading } from "./reading.ts";
import { isWithin, readRoutePath } from "./route-schema.ts";
import { contradictionIn } from "./store-schema.ts";
import { EACH, isMapping, listOf, placesIn, textAt, valueAt } from "./tree.ts";

/** @param isWritten whether somebody wrote the value at a path: a fault is better shown there than at a default. */
export function checkConsistency(tree: unknown, isWritten: (path: Path) => boolean): Finding[] {
  return [
    ...checkStore(tree),
    ...checkRedis(tree),
    ...checkListeners(tree, isWritten),
    ...checkAccess(tree),
    ...checkPublicUrl(tree),
    ...checkAuthorities(tree),
    ...checkRoutes(tree),
    ...checkLetters(tree),
    ...checkConnectors(tree),
    ...checkPolicy(tree),
  ];
}

function checkStore(tree: unknown): Finding[] {
  const both = valueAt(tree, ["store", "redis"]) !== undefined && valueAt(tree, ["store", "embedded"]) !== undefined;
  return both ? [atKey(["store", "embedded"], "stands beside redis; only one of them can be the store")] : [];
}

const redisKeys = ["username", "password", "passwordFile", "ca"] as const;

function checkRedis(tree: unknown): Finding[] {
  const here = ["store", "redis"];
  const url = readAt(tree, [...here, "url"], readRedisUrl);
  const isUnreadable = url === undefined && valueAt(tree, [...here, "url"]) !== undefined;
  if (isUnreadable || !isMapping(valueAt(tree, here))) return [];
  const [username, password, passwordFile, ca] = redisKeys.map((key) => textAt(tree, [...here, key]));
  const contradiction = contradictionIn({ url, username, password: password ?? passwordFile, ca });
  return contradiction === undefined ? [] : [atValue([...here, contradiction.key], contradiction.problem)];
}

function checkListeners(tree: unknown, isWritten: (path: Path) => boolean): Finding[] {
  const mailPath = ["mail", "listen"];
  const adminPath = ["admin", "listen"];
  const mail = readAt(tree, mailPath, readListen);
  const admin = readAt(tree, adminPath, readListen);
  const findings: Finding[] = [];
  if (
    mail !== undefined &&
    admin !== undefined &&
    mail.port === admin.port &&
    mail.port !== 0 &&
    overlaps(mail, admin)
  ) {
    const path = isWritten(adminPath) ? adminPath : mailPath;
    findings.push(atValue(path, "is the address of the other listener too"));
  }
  const inventoryPath = ["inventory", "listen"];
  const inventory = readAt(tree, inventoryPath, readListen);
  for (const other of [mail, admin]) {
    if (inventory === undefined || other === undefined || inventory.port === 0) continue;
    if (inventory.port === other.port && overlaps(inventory, other)) {
      findings.push(atValue(inventoryPath, "is the address of another listener too"));
    }
  }
  for (const { path, url } of upstreamUrls(tree)) {
    const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
    if (mail !== undefined && port === mail.port && leadsTo(url.hostname.replaceAll(/[[\]]/g, ""), mail)) {
      findings.push(atValue(path, "leads back to mail.listen: every request would go round for ever"));
    }
  }
  return findings;
}

/** A token of another issuer with the same keys must not count here. */
function checkAccess(tree: unknown): Finding[] {
  const here = ["admin", "access"];
  const needs = textAt(tree, [...here, "keysFile"]) !== undefined && valueAt(tree, [...here, "issuer"]) === undefined;
  return needs ? [atKey([...here, "keysFile"], "needs issuer beside it")] : [];
}

const everyAddress: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

function overlaps(a: ListenAddress, b: ListenAddress): boolean {
  return a.host === b.host || everyAddress.has(a.host) || everyAddress.has(b.host);
}

function leadsTo(host: string, listen: ListenAddress): boolean {
  const isLoopback = host === "localhost" || host === "::1" || host.startsWith("127.");
  return host === listen.host || (isLoopback && (everyAddress.has(listen.host) || listen.host === "localhost"));
}

/** Every mail server that is named, with its key. */
function upstreamUrls(tree: unknown): { readonly path: Path; readonly url: URL }[] {
  const routes = listOf(valueAt(tree, ["routes"]));
  const paths: Path[] = [["upstream", "url"], ...routes.map((_, index) => ["routes", index, "upstream"])];
  return paths.flatMap((path) => {
    const url = readAt(tree, path, readUpstreamUrl);
    return url === undefined ? [] : [{ path, url }];
  });
}

function checkPublicUrl(tree: unknown): Finding[] {
  const path = ["mail", "publicUrl"];
  const url = readAt(tree, path, readPublicUrl);
  const listed = listOf(valueAt(tree, ["mail", "hosts"]));
  const hosts = listed.flatMap((host) => {
    const reading = typeof host === "string" ? readPublicHost(host) : undefined;
    return reading?.ok === true ? [reading.value] : [];
  });
  // With a host that cannot be read, it may well be the one.
  if (url === undefined || hosts.length < listed.length || hosts.length === 0 || hosts.includes(url.hostname))
    return [];
  return [atValue(path, "names a host that is not in mail.hosts, so whoever follows it is refused")];
}

function checkAuthorities(tree: unknown): Finding[] {
  const path = ["upstream", "ca"];
  const urls = upstreamUrls(tree);
  const isUsed = urls.length === 0 || urls.some(({ url }) => url.protocol === "https:");
  return valueAt(tree, path) === undefined || isUsed
    ? []
    : [atValue(path, "is for a mail server with an https URL only")];
}

interface RouteHead {
  readonly index: number;
  readonly path: string;
  readonly except: readonly unknown[];
}

/** A path below another route is reached only where that route leaves it out: then it is plain whose path it is. */
function checkRoutes(tree: unknown): Finding[] {
  const routes = listOf(valueAt(tree, ["routes"])).flatMap((route, index): RouteHead[] => {
    const path = readAt(route, ["path"], readRoutePath);
    return path === undefined ? [] : [{ index, path, except: listOf(valueAt(route, ["except"])) }];
  });
  return routes.flatMap((route) => {
    const here = ["routes", route.index, "path"];
    const around = routes.filter((other) => other !== route && isWithin(route.path, other.path));
    const twin = around.find((other) => isWithin(other.path, route.path));
    if (twin !== undefined) {
      return twin.index > route.index ? [] : [atValue(here, `is the path of routes[${twin.index}] too`)];
    }
    const outer = around.find((other) => !excepts(other, route));
    if (outer === undefined) return [];
    return [atValue(here, `lies within routes[${outer.index}]; list it in the except of that route, or leave it out`)];
  });
}

function excepts(outer: RouteHead, inner: RouteHead): boolean {
  return outer.except.some((path) => typeof path === "string" && isWithin(inner.path, path));
}

function checkLetters(tree: unknown): Finding[] {
  const [username, password, passwordFile] = ["username", "password", "passwordFile"].map((key) =>
    textAt(tree, ["letters", key]),
  );
  const hasPassword = password !== undefined || passwordFile !== undefined;
  if (username !== undefined && !hasPassword)
    return [atValue(["letters", "username"], "names a user and there is no password")];
  if (username === undefined && hasPassword)
    return [atKey(["letters", password === undefined ? "passwordFile" : "password"], "is of no use without username")];
  return [];
}

/** Two connectors of one name would be one source. */
function checkConnectors(tree: unknown): Finding[] {
  const names = placesIn(tree, ["inventory", "connectors", EACH, "name"]);
  return names.flatMap((path, index) => {
    const name = textAt(tree, path);
    const twin = name === undefined ? -1 : names.findIndex((other) => textAt(tree, other) === name);
    return twin === index || twin === -1 ? [] : [atValue(path, `is the name of connectors[${twin}] too`)];
  });
}

function readAt<T>(tree: unknown, path: Path, read: (text: string) => Reading<T>): T | undefined {
  const text = textAt(tree, path);
  const reading = text === undefined ? undefined : read(text);
  return reading?.ok === true ? reading.value : undefined;
}

function atValue(path: Path, message: string): Finding {
  return { path, message, side: "value" };
}

function atKey(path: Path, message: string): Finding {
  return { path, message, side: "key" };
}
