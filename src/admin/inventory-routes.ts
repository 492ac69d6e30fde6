/** Management systems: how their connectors are, and a look at one phone anew. */
import * as z from "zod";
import { createRechecks } from "../inventory/rechecks.ts";
import type { Recheck } from "../inventory/recheck.ts";
import { spellingsOf } from "../policy/device.ts";
import type { DeviceId } from "../policy/device.ts";
import type { Store } from "../store/store.ts";
import { readState, stateKey } from "../sync/connector-state.ts";
import { Problem } from "./problem.ts";
import { defineRoute, noBody, nothing } from "./route.ts";
import type { Route } from "./route.ts";
import { deviceIdParameter, time, why } from "./schemas.ts";

export interface InventoryRouteParts {
  readonly store: Store;
  /** Those of the configuration. */
  readonly connectors: readonly { readonly name: string; readonly kind: string }[];
  readonly now: () => Date;
}

const params = z.strictObject({ id: deviceIdParameter });
const recheck = z.looseObject({
  device: z.string(),
  number: z.int(),
  askedAt: time,
  steps: z.record(z.string(), time),
  end: z.string().optional(),
});

export function inventoryRoutes({ store, connectors, now }: InventoryRouteParts): readonly Route[] {
  const rechecks = createRechecks(store);

  async function canonical(id: DeviceId): Promise<DeviceId> {
    return (await store.facts(spellingsOf(id), undefined)).id;
  }

  return [
    defineRoute({
      method: "get",
      path: "/connectors",
      role: "viewer",
      tag: "inventory",
      summary:
        "How the management systems are: the last success, the sync under way, what failed, what the budget has left",
      params: nothing,
      query: nothing,
      body: noBody,
      answers: {
        200: {
          description: "In the order of the configuration.",
          schema: z.strictObject({
            items: z.array(
              z.looseObject({ name: z.string(), kind: z.string(), failures: z.int(), succeededAt: time.optional() }),
            ),
          }),
        },
      },
      handle: async () => {
        const documents = await store.readDocuments(connectors.map(({ name }) => stateKey(name)));
        const items = connectors.map(({ name, kind }, index) => {
          const { run, ...state } = readState(documents[index]);
          // A cursor belongs to the system that gave it out, and may let whoever has it read on.
          const shown = run && { ...run, cursor: undefined, sweep: undefined };
          return Object.assign(state, { name, kind, run: shown });
        });
        return { httpStatus: 200, body: { items } };
      },
    }),
    defineRoute({
      method: "post",
      path: "/devices/{id}/recheck",
      role: "helpdesk",
      tag: "inventory",
      summary: "Have the management system look at a phone anew",
      params,
      query: nothing,
      body: z.strictObject({ why }),
      answers: { 202: { description: "It is asked for, or under way already.", schema: recheck } },
      handle: async ({ params: { id: asked }, actor }) => {
        const id = await canonical(asked);
        const answer = await rechecks.ask(id, actor.name, now());
        if (answer.kind === "too-soon")
          throw new Problem("conflict", {
            detail: "the last one was asked for a moment ago",
            members: { from: answer.from.toISOString() },
            headers: {
              "Retry-After": String(Math.max(1, Math.ceil((answer.from.getTime() - now().getTime()) / 1000))),
            },
          });
        return {
          httpStatus: 202,
          location: `/api/v1/devices/${id}/recheck`,
          body: shownOf(answer.recheck),
          changed: { about: [id], after: { recheck: answer.recheck.number } },
        };
      },
    }),
    defineRoute({
      method: "get",
      path: "/devices/{id}/recheck",
      role: "viewer",
      tag: "inventory",
      summary: "How far the last look at a phone has come",
      params,
      query: nothing,
      body: noBody,
      answers: { 200: { description: "Its steps, with the time of each.", schema: recheck } },
      handle: async ({ params: { id } }) => {
        const last = await rechecks.read(await canonical(id));
        if (last === undefined) throw new Problem("not-found", { detail: "nobody has asked for one lately" });
        return { httpStatus: 200, body: shownOf(last) };
      },
    }),
  ];
}

function shownOf({ device, number, askedAt, steps, end, endedAt, source, by }: Recheck) {
  return { device, number, askedAt, steps, end, endedAt, source, by };
}
