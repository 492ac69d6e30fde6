/** Acts that wait for another person, whose yes or no comes here. */
import * as z from "zod";
import { PolicyRefused } from "../campaign/ledger.ts";
import { doneAnswer, requireNamed, whoOf } from "./act-answers.ts";
import type { ActParts } from "./act-answers.ts";
import type { PendingConfirmation } from "./confirmations.ts";
import { Problem } from "./problem.ts";
import { defineRoute, noBody, nothing } from "./route.ts";
import type { Route } from "./route.ts";
import { time, versionHead, why } from "./schemas.ts";

const params = z.strictObject({ id: z.string().regex(/^c-[0-9a-f]{16}$/) });
const shownSchema = z.looseObject({ id: z.string(), asker: z.string(), cut: z.int(), expiresAt: time });

export function confirmationRoutes({ acts, confirmations }: ActParts): readonly Route[] {
  async function found(id: string): Promise<PendingConfirmation> {
    const pending = await confirmations.find(id);
    if (pending === undefined)
      throw new Problem("not-found", { detail: "nothing of this id waits; it may have ended" });
    return pending;
  }

  return [
    defineRoute({
      method: "get",
      path: "/confirmations",
      role: "viewer",
      tag: "confirmations",
      summary: "Acts that wait for another person",
      params: nothing,
      query: nothing,
      body: noBody,
      answers: { 200: { description: "The oldest first.", schema: z.strictObject({ items: z.array(shownSchema) }) } },
      handle: async () => ({ httpStatus: 200, body: { items: await confirmations.list() } }),
    }),
    defineRoute({
      method: "get",
      path: "/confirmations/{id}",
      role: "viewer",
      tag: "confirmations",
      summary: "One act that waits, and what it would do now",
      params,
      query: nothing,
      body: noBody,
      answers: { 200: { description: "The act.", schema: shownSchema } },
      handle: async ({ params: { id } }) => {
        const pending = await found(id);
        const { entries } = await acts.plan(await acts.changeOf(pending.request));
        return { httpStatus: 200, body: { ...pending, plan: entries } };
      },
    }),
    defineRoute({
      method: "post",
      path: "/confirmations/{id}/confirm",
      role: "operator",
      tag: "confirmations",
      summary: "Say yes to what another person has asked for",
      params,
      query: nothing,
      body: z.strictObject({
        confirm: z.int().min(0).meta({ description: "How many phones may lose their mail: the number that is shown." }),
      }),
      answers: {
        200: {
          description: "It is in force.",
          schema: versionHead.extend({ modes: z.record(z.string(), z.string()) }),
        },
      },
      handle: async (call) => {
        requireNamed(call.actor);
        const pending = await found(call.params.id);
        try {
          const acted = await acts.act(await acts.changeOf(pending.request), {
            who: `${pending.asker}, confirmed by ${whoOf(call)}`,
            why: pending.why,
            confirm: call.body.confirm,
            expected: pending.version,
            asker: pending.asker,
            confirmer: call.actor.name,
          });
          if (acted.kind !== "done") throw new Problem("internal");
          await confirmations.remove(pending.id);
          return doneAnswer(acted);
        } catch (error) {
          // Another policy is in force than the one that was seen: what was asked for is no more.
          const isOvertaken =
            (error instanceof Problem && error.problem === "precondition-failed") ||
            (error instanceof PolicyRefused && error.code !== "busy");
          if (isOvertaken) await confirmations.remove(pending.id);
          throw error;
        }
      },
    }),
    defineRoute({
      method: "delete",
      path: "/confirmations/{id}",
      role: "operator",
      tag: "confirmations",
      summary: "Say no, or take back what one has asked for",
      params,
      query: nothing,
      body: z.strictObject({ why }),
      answers: { 200: { description: "It waits no more.", schema: z.strictObject({ id: z.string() }) } },
      handle: async ({ params: { id } }) => {
        if (!(await confirmations.remove(id))) throw new Problem("not-found");
        return { httpStatus: 200, body: { id }, changed: { about: [id] } };
      },
    }),
  ];
}
