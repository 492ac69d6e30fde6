/** The admin listener: whether the program lives, whether it should get requests, its numbers, and the API. On loopback unless told otherwise. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import type { Express, Router } from "express";
import type { Health } from "../telemetry/health.ts";
import type { Metrics } from "../telemetry/metrics.ts";

export interface AdminOptions {
  readonly health: () => Health;
  readonly metrics: Metrics;
  /** What is below `/api/v1`; undefined: nothing is. */
  readonly api?: Router | undefined;
}

export function createAdmin({ health, metrics, api }: AdminOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.enable("case sensitive routing");
  app.enable("strict routing");
  // What reads a query must know every name in it.
  app.set("query parser", false);

  app.get("/livez", (_req, res) => {
    res.type("text/plain").send("ok\n");
  });
  app.get("/startupz", (_req, res) => {
    const { started } = health();
    res.status(started ? 200 : 503).json({ started });
  });
  app.get("/readyz", (_req, res) => {
    const state = health();
    res.status(state.ready ? 200 : 503).json(state);
  });
  app.get("/metrics", async (_req, res) => {
    res.type(metrics.contentType).send(await metrics.text());
  });
  if (api !== undefined) app.use("/api/v1", api);
  app.use((_req, res) => {
    res.status(404).type("text/plain").send("not found\n");
  });
  return app;
}

export interface AdminListener {
  readonly address: { readonly host: string; readonly port: number };
  close(): void;
}

export async function listenAdmin(
  app: Express,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<AdminListener> {
  const server = http.createServer({ requestTimeout: 10_000, headersTimeout: 5000 }, app);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("the admin listener has no address");
  return {
    address: { host: address.address, port: address.port },
    close(): void {
      server.close();
      server.closeAllConnections();
    },
  };
}
