/**
 * The shortest connector there can be, to an invented system: a token endpoint, numbered pages, changes since a time, one device, an
 * order and an unsigned hook. It holds the suite and the client against each other, and is what a new connector can begin from.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { freeAdmission } from "../../../src/connectors/rest/admission.ts";
import { clientCredentials } from "../../../src/connectors/rest/token.ts";
import { byNumber } from "../../../src/connectors/rest/pager.ts";
import { at } from "../../../src/connectors/rest/path.ts";
import { openRest } from "../../../src/connectors/rest/rest.ts";
import type { Rest } from "../../../src/connectors/rest/rest.ts";
import type { RestClient } from "../../../src/connectors/rest/client.ts";
import type { Connector, ConnectorContext, ReceiverAnswer, SyncPage } from "../../../src/inventory/connector.ts";
import type { InventoryReport } from "../../../src/inventory/report.ts";
import { connectorContract } from "../../contracts/connector.ts";
import type { FakeDevice } from "../../contracts/connector.ts";
import { createFakeTokens, startFakeSource } from "../../support/fake-source.ts";
import type { FakeRequest } from "../../support/fake-source.ts";

const phone = z.object({
  id: z.number(),
  eas: z.string(),
  mail: z.string(),
  os: z.string(),
  seen: z.iso.datetime().transform((text) => new Date(text)),
});
const page = z.object({ phones: z.array(phone), all: z.number() });
const pageSize = 3;

function createSample(http: RestClient, key: string): Connector {
  const source = "sample";
  const reportOf = ({ id, eas, mail, os, seen }: z.output<typeof phone>): InventoryReport => ({
    source,
    sourceDeviceId: String(id),
    enrolled: true,
    easDeviceIds: [eas],
    owner: { email: mail },
    osVersion: os,
    deviceAt: seen,
  });

  async function* list(
    cursor: string | undefined,
    query: readonly (readonly [string, string])[],
    { signal }: ConnectorContext,
  ): AsyncGenerator<SyncPage> {
    const pages = byNumber({
      client: http,
      shape: page,
      signal,
      cursor,
      firstNumber: 1,
      pageSize,
      call: (number) => ({ path: at`/phones`, query: [["page", number], ...query] }),
      items: ({ phones }) => phones.length,
      total: ({ all }) => all,
    });
    for await (const {
      page: { phones, all },
      next,
    } of pages)
      yield { reports: phones.map(reportOf), next, total: all };
  }

  const answering = (answer: ReceiverAnswer) => ({ reports: [], signals: [], refresh: [], answer: () => answer });
  return {
    source,
    kind: "sample",
    abilities: {
      apps: "none",
      easDeviceIds: true,
      incremental: true,
      lists: true,
      refresh: { usualSeconds: [1, 2], unlockFirst: false },
    },
    full: (cursor, context) => list(cursor, [], context),
    changed: (since, context) => list(undefined, [["since", since.toISOString()]], context),
    async one(id, { signal }) {
      const found = await http.find({ path: at`/phones/${id}` }, phone, signal);
      return found === undefined ? undefined : reportOf(found);
    },
    async refresh(id, { signal }) {
      await http.send(
        { method: "POST", path: at`/phones/${id}/look`, failures: new Map([[404, "not-possible"]]) },
        signal,
      );
    },
    receiver: {
      bodyLimitBytes: 65_536,
      async receive({ headers, body }) {
        if (headers.get("x-key") !== key) return answering({ httpStatus: 401 });
        try {
          const { id } = z.object({ id: z.number() }).parse(JSON.parse(Buffer.from(body).toString("utf8")));
          return { ...answering({ httpStatus: 200 }), signals: [String(id)] };
        } catch {
          return answering({ httpStatus: 400 });
        }
      },
    },
    async health({ signal }) {
      await http.json({ path: at`/phones`, query: [["page", 1]] }, page, signal);
    },
  };
}

function aFake(devices: readonly FakeDevice[], orders: Map<string, number>) {
  const tokens = createFakeTokens("/token", { clientId: "postern", clientSecret: "the-client-secret" });
  const said = ({ id, easDeviceId: eas, email: mail, osVersion: os, at: seen }: FakeDevice) => ({
    id: Number(id),
    eas,
    mail,
    os,
    seen,
  });
  const route = (request: FakeRequest): ReturnType<typeof tokens.route> => {
    if (request.path === "/token") return tokens.route(request);
    if (!tokens.admits(request)) return { httpStatus: 401 };
    const { path, query } = request;
    if (path === "/phones") {
      const since = query.get("since");
      const known = devices.filter((device) => since === null || device.at > new Date(since));
      const from = (Number(query.get("page")) - 1) * pageSize;
      return { body: { phones: known.slice(from, from + pageSize).map(said), all: known.length } };
    }
    const [, , id = "", order] = path.split("/");
    const device = devices.find((each) => each.id === id);
    if (device === undefined || path !== `/phones/${id}${order === undefined ? "" : "/look"}`)
      return { httpStatus: 404 };
    if (order === undefined) return { body: said(device) };
    orders.set(id, (orders.get(id) ?? 0) + 1);
    return { httpStatus: 204 };
  };
  return { tokens, route };
}

connectorContract({
  name: "a sample",
  pageSize,
  timeoutMs: 1000,
  tells: ["easDeviceIds", "owner", "osVersion", "deviceAt"],
  has: ["full", "changed", "one", "refresh", "receiver"],
  credential: "token",
  async start(t) {
    const devices: FakeDevice[] = [];
    const orders = new Map<string, number>();
    const { tokens, route } = aFake(devices, orders);
    const server = await startFakeSource(route, { tokenPath: "/token", gzip: true });
    const opened: Rest[] = [];
    t.after(async () => {
      for (const rest of opened) rest.close();
      await server.close();
    });
    return {
      server,
      devices,
      secrets: ["the-client-secret", "the-wrong-secret", "the-hook-key", "token-1-of-postern"],
      connect(credential) {
        const now = (): Date => new Date();
        const rest = openRest(
          { baseUrl: new URL(server.url), ca: undefined, timeoutMs: 1000, concurrent: 2, recordTo: undefined },
          (transport) =>
            clientCredentials(
              {
                tokenUrl: new URL("/token", server.url),
                clientId: "postern",
                clientSecret: credential === "wrong" ? "the-wrong-secret" : "the-client-secret",
                scope: undefined,
                place: "form",
              },
              transport,
              now,
            ),
          { now, admission: freeAdmission, onRecordingFailure: assert.ifError },
        );
        opened.push(rest);
        return createSample(rest, "the-hook-key");
      },
      expireToken: () => tokens.expire(),
      refreshed: (id) => orders.get(id) ?? 0,
      event: ({ id }) => ({
        method: "POST",
        path: "",
        headers: new Map([
          ["content-type", "application/json"],
          ["x-key", "the-hook-key"],
        ]),
        body: Buffer.from(JSON.stringify({ id: Number(id) })),
      }),
    };
  },
});

test("a fake counts what goes on at once", async (t) => {
  const server = await startFakeSource(() => ({ body: {} }));
  t.after(() => server.close());
  await Promise.all([fetch(server.url), fetch(server.url)]);
  assert.equal(server.calls.length, 2);
  assert.ok(server.mostAtOnce() >= 1);
});
