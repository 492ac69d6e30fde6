/** The installation: its nodes, its health, its configuration, and what happens right now. */
import * as z from "zod";
import type { Health } from "../telemetry/health.ts";
import type { AdminEvent, EventHub } from "./event-hub.ts";
import { openEventStream } from "./event-stream.ts";
import type { Nodes } from "./nodes.ts";
import { defineRoute, noBody, nothing, roles } from "./route.ts";
import type { Route } from "./route.ts";
import { time } from "./schemas.ts";

/** One value of the effective configuration; secrets are masked. */
export interface ShownSetting {
  readonly path: string;
  readonly value: unknown;
  readonly origin: string;
}

export interface SystemRouteParts {
  readonly health: () => Health;
  readonly nodes: Nodes;
  readonly version: string;
  readonly settings: readonly ShownSetting[];
  readonly hub: EventHub;
  readonly policyVersion: () => number | undefined;
  readonly now: () => Date;
}

const state = z.enum(["ready", "degraded", "not-ready", "stopping"]);
const store = z.enum(["live", "degraded", "down"]);

export function systemRoutes({
  health,
  nodes,
  version,
  settings,
  hub,
  policyVersion,
  now,
}: SystemRouteParts): readonly Route[] {
  const plain = { params: nothing, query: nothing, body: noBody, method: "get", tag: "system" } as const;
  return [
    defineRoute({
      ...plain,
      path: "/me",
      role: "viewer",
      summary: "Who one is here, and when the token ends",
      answers: {
        200: {
          description: "As the token says.",
          schema: z.strictObject({
            name: z.string(),
            role: z.enum(roles),
            means: z.string(),
            expiresAt: time.optional(),
          }),
        },
      },
      handle: async ({ actor }) => ({ httpStatus: 200, body: actor }),
    }),
    defineRoute({
      ...plain,
      path: "/health",
      role: "viewer",
      summary: "How this node is",
      answers: {
        200: {
          description: "Also where it is not ready.",
          schema: z.strictObject({
            node: z.string(),
            version: z.string(),
            started: z.boolean(),
            ready: z.boolean(),
            state,
            store,
            detail: z.string(),
            policyVersion: z.int().optional(),
          }),
        },
      },
      handle: async () => ({
        httpStatus: 200,
        body: { node: nodes.id, version, ...health(), policyVersion: policyVersion() },
      }),
    }),
    defineRoute({
      ...plain,
      path: "/nodes",
      role: "viewer",
      summary: "Every program that serves on this store",
      answers: {
        200: {
          description: "One that has ended without a goodbye is missed after half a minute.",
          schema: z.strictObject({
            items: z.array(
              z.looseObject({ id: z.string(), host: z.string(), version: z.string(), seenAt: time, state }),
            ),
          }),
        },
      },
      handle: async () => ({ httpStatus: 200, body: { items: await nodes.list() } }),
    }),
    defineRoute({
      ...plain,
      path: "/config",
      role: "admin",
      summary: "The configuration in force on this node, and where each value came from; secrets are masked",
      answers: {
        200: {
          description: "Value by value.",
          schema: z.strictObject({
            items: z.array(z.strictObject({ path: z.string(), value: z.unknown(), origin: z.string() })),
          }),
        },
      },
      handle: async () => ({ httpStatus: 200, body: { items: settings } }),
    }),
    defineRoute({
      ...plain,
      path: "/events",
      role: "viewer",
      summary: "What happens on this node, as server-sent events: policy, policy-problem, store, guard-tripped",
      mediaType: "text/event-stream",
      answers: { 200: { description: "A stream that ends with the token." } },
      handle: async ({ actor: { expiresAt } }) => {
        const { store: storeState, detail } = health();
        const first: readonly AdminEvent[] = [
          { kind: "policy", version: policyVersion() },
          { kind: "store", state: storeState, detail },
        ];
        return { stream: openEventStream({ hub, expiresAt, now, first }) };
      },
    }),
  ];
}
