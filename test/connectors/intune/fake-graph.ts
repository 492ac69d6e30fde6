/** A Graph that has managed devices: pages by link, filters by time, compliance states, and orders to synchronise. Data is invented. */
import { createFakeTokens } from "../../support/fake-source.ts";
import type { FakeAnswer, FakeRoute, FakeTokens } from "../../support/fake-source.ts";

export const tenant = "11111111-2222-3333-4444-555555555555";
export const clientId = "postern";
export const clientSecret = "the-client-secret";
export const tokenPath = `/${tenant}/oauth2/v2.0/token`;

/** As Graph says it, property by property. */
export type GraphDevice = Readonly<Record<string, unknown>> & { readonly id: string };

export interface FakeGraph {
  readonly tokens: FakeTokens;
  readonly route: FakeRoute;
  /** How often each device was told to synchronise. */
  readonly orders: ReadonlyMap<string, number>;
}

export function createFakeGraph({
  devices,
  policyStates = new Map(),
  url,
}: {
  readonly devices: () => readonly GraphDevice[];
  readonly policyStates?: ReadonlyMap<string, unknown>;
  /** Its own address, for links; asked when it is known. */
  readonly url: () => string;
}): FakeGraph {
  const tokens = createFakeTokens(tokenPath, { clientId, clientSecret });
  const orders = new Map<string, number>();
  const list = "/v1.0/deviceManagement/managedDevices";

  function pageOf(query: URLSearchParams): FakeAnswer {
    const since = /^lastSyncDateTime gt (\S+)$/.exec(query.get("$filter") ?? "")?.[1];
    const known = devices().filter(
      (device) => since === undefined || new Date(String(device["lastSyncDateTime"])) > new Date(since),
    );
    const size = Number(query.get("$top") ?? 1000);
    // An opaque word of the server's, which only it understands.
    const from = Number(Buffer.from(query.get("$skiptoken") ?? "", "base64url").toString() || 0);
    const next = new URL(list, url());
    for (const [name, value] of query) next.searchParams.set(name, value);
    next.searchParams.set("$skiptoken", Buffer.from(String(from + size)).toString("base64url"));
    return {
      body: {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#deviceManagement/managedDevices",
        ...(from + size < known.length ? { "@odata.nextLink": next.href } : {}),
        value: known.slice(from, from + size).map((device) => selected(device, query)),
      },
    };
  }

  function selected(device: GraphDevice, query: URLSearchParams): Record<string, unknown> {
    const names = (query.get("$select") ?? "").split(",");
    return Object.fromEntries(names.map((name) => [name, device[name] ?? null]));
  }

  return {
    tokens,
    orders,
    route(request): ReturnType<FakeRoute> {
      if (request.path === tokenPath) {
        const scope = new URLSearchParams(request.body.toString()).get("scope") ?? "";
        return scope.endsWith("/.default")
          ? tokens.route(request)
          : { httpStatus: 400, body: { error: "invalid_scope" } };
      }
      if (!tokens.admits(request)) return { httpStatus: 401, body: { error: { code: "InvalidAuthenticationToken" } } };
      const { method, path, query } = request;
      if (path === list) return method === "GET" ? pageOf(query) : { httpStatus: 405 };
      const [id = "", what, ...more] = path.startsWith(`${list}/`) ? path.slice(list.length + 1).split("/") : [];
      const device = devices().find((each) => each.id === id);
      const missing = { httpStatus: 404, body: { error: { code: "ResourceNotFound" } } };
      if (device === undefined || more.length > 0) return missing;
      if (what === undefined) return { body: selected(device, query) };
      if (what === "deviceCompliancePolicyStates") return { body: policyStates.get(id) ?? { value: [] } };
      if (what !== "syncDevice" || method !== "POST") return missing;
      orders.set(id, (orders.get(id) ?? 0) + 1);
      return { httpStatus: 204 };
    },
  };
}
