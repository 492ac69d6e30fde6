/** Devices: what is known of them, why they are judged as they are, and what operators write. */
import * as z from "zod";
import { explainDevice } from "../campaign/device-question.ts";
import type { Policy } from "../policy/campaign.ts";
import { ownerships, platforms, spellingsOf } from "../policy/device.ts";
import type { DeviceId, DeviceRecord } from "../policy/device.ts";
import type { Fields } from "../store/documents.ts";
import { checkFields, encodeFields, parseRecord } from "../store/record.ts";
import type { Store } from "../store/store.ts";
import type { Cursors } from "./cursor.ts";
import { recordTag, requireRecordTag } from "./entity-tag.ts";
import { Problem } from "./problem.ts";
import { defineRoute, noBody, nothing } from "./route.ts";
import type { Answer, Call, Route } from "./route.ts";
import { deviceIdParameter, next, pageQuery, time, why } from "./schemas.ts";

export interface DeviceRouteParts {
  readonly store: Store;
  readonly configured: Policy;
  readonly cursors: Cursors;
  readonly now: () => Date;
}

/** Looked at for one page, where a filter lets few through: some 20 ms of a Redis. */
const RECORDS_LOOKED_AT_LIMIT = 10_000;
const SCAN_AT_ONCE = 1_000;
const FIELDS_LIMIT = 64;
const WITH_LIMIT = 32;

const params = z.strictObject({ id: deviceIdParameter });
const record = z
  .looseObject({ id: z.string() })
  .meta({ description: "The fields of a record; docs/redis-contract.md describes them." });
const word = z.string().min(1).max(256);

const filters = {
  owner: word.optional().meta({ description: "Of this person: owner or email, without case." }),
  region: word.optional(),
  group: word.optional(),
  platform: z.enum(platforms).optional(),
  ownership: z.enum(ownerships).optional(),
  compliance: z.enum(["compliant", "noncompliant"]).optional(),
  override: z.enum(["allow", "block", "none"]).optional(),
  app: word.optional().meta({ description: "With this app, by its id, without case." }),
} as const;
type Filters = z.output<z.ZodObject<typeof filters>>;

export function deviceRoutes(parts: DeviceRouteParts): readonly Route[] {
  const { store, configured, cursors, now } = parts;

  async function canonical(id: DeviceId): Promise<DeviceId> {
    return (await store.facts(spellingsOf(id), undefined)).id;
  }

  /** @throws Problem where there is none */
  async function found(asked: DeviceId): Promise<{ readonly id: DeviceId; readonly fields: Fields }> {
    const id = await canonical(asked);
    const fields = await store.readFields(id);
    if (fields === undefined)
      throw new Problem("not-found", {
        detail: "no record of this device; current is the tag for If-Match of whoever makes one",
        members: { current: recordTag(undefined) },
      });
    return { id, fields };
  }

  function shown(id: DeviceId, fields: Fields, firstSeenAt: DeviceRecord["firstSeenAt"]): Answer {
    const { record: read, unknownFields } = parseRecord(id, fields, now());
    return { httpStatus: 200, etag: recordTag(fields), body: { ...read, firstSeenAt, unknownFields } };
  }

  /** Writes where the record is still what the client has seen. */
  async function write(
    asked: DeviceId,
    change: { readonly set: Fields; readonly remove: readonly string[] },
    ifMatch: string | undefined,
  ): Promise<Answer> {
    const id = await canonical(asked);
    const key = { kind: "device" as const, id };
    const { before, after } = await store.transact([key], ([stored]) => {
      requireRecordTag(ifMatch, stored);
      const written = new Map(stored);
      for (const name of change.remove) written.delete(name);
      for (const [name, value] of change.set) written.set(name, value);
      return { changes: [{ key, ...change }], result: { before: stored, after: written } };
    });
    return {
      httpStatus: 200,
      etag: recordTag(after),
      body: { id, fields: Object.fromEntries(after) },
      changed: { about: [id], before: before && Object.fromEntries(before), after: Object.fromEntries(after) },
    };
  }

  async function list({
    query,
  }: Call<unknown, Filters & { limit: number; cursor?: string | undefined }, unknown>): Promise<Answer> {
    const { limit, cursor, ...wanted } = query;
    const name = `devices ${JSON.stringify(wanted)}`;
    const isWanted = filterOf(wanted);
    const items: DeviceRecord[] = [];
    let place = cursor === undefined ? undefined : cursors.read(name, cursor);
    let count = limit;
    for (let looked = 0; looked < RECORDS_LOOKED_AT_LIMIT && items.length < limit; looked += count) {
      const page = await store.recordPage(place, count);
      items.push(...page.records.filter(isWanted));
      place = page.next;
      if (place === undefined) break;
      // Where a look finds little the next is larger, and never so large that a page runs over.
      count = items.length === 0 ? Math.min(SCAN_AT_ONCE, count * 2) : Math.max(1, limit - items.length);
    }
    return { httpStatus: 200, body: { items, next: place === undefined ? undefined : cursors.write(name, place) } };
  }

  return [
    defineRoute({
      method: "get",
      path: "/devices",
      role: "viewer",
      tag: "devices",
      summary: "Devices with a record, page by page",
      params: nothing,
      query: z.strictObject({ ...pageQuery, ...filters }),
      body: noBody,
      answers: { 200: { description: "A page.", schema: z.strictObject({ items: z.array(record), next }) } },
      handle: list,
    }),
    defineRoute({
      method: "get",
      path: "/devices/{id}",
      role: "viewer",
      tag: "devices",
      summary: "One record, what of it cannot be read, and when the device was seen first",
      params,
      query: nothing,
      body: noBody,
      answers: { 200: { description: "The record; ETag is for If-Match.", schema: record } },
      handle: async ({ params: { id: asked } }) => {
        const { id, fields } = await found(asked);
        return shown(id, fields, (await store.readRecords([id]))[0]?.firstSeenAt);
      },
    }),
    defineRoute({
      method: "patch",
      path: "/devices/{id}",
      role: "operator",
      tag: "devices",
      summary: "Write and remove fields of a record; makes it with the tag that the 404 names",
      ifMatch: "required",
      params,
      query: nothing,
      body: z.strictObject({
        set: z.record(z.string().min(1).max(64), z.string()).default({}),
        remove: z.array(z.string().min(1).max(64)).max(FIELDS_LIMIT).default([]),
        why,
      }),
      answers: { 200: { description: "The fields as they stand now.", schema: fieldsAnswer } },
      handle: async ({ params: { id }, body, ifMatch }) => write(id, changeOf(body, now()), ifMatch),
    }),
    defineRoute({
      method: "put",
      path: "/devices/{id}/override",
      role: "operator",
      tag: "devices",
      summary: "Let one device in, or keep it out, whatever the policy says",
      ifMatch: "optional",
      params,
      query: nothing,
      body: z.strictObject({
        action: z.enum(["allow", "block"]),
        until: z.iso
          .datetime({ offset: true })
          .optional()
          .meta({ description: "Missing: until somebody takes it back." }),
        why,
      }),
      answers: { 200: { description: "The fields as they stand now.", schema: fieldsAnswer } },
      handle: async ({ params: { id }, body, ifMatch, actor }) => {
        const until = body.until === undefined ? undefined : new Date(body.until);
        if (until !== undefined && until <= now()) throw new Problem("conflict", { detail: "until is over already" });
        const override = { action: body.action, why: body.why, who: actor.name, until };
        return write(id, encodeFields({ override }), ifMatch);
      },
    }),
    defineRoute({
      method: "delete",
      path: "/devices/{id}/override",
      role: "operator",
      tag: "devices",
      summary: "Take an override back",
      ifMatch: "optional",
      params,
      query: nothing,
      body: z.strictObject({ why }),
      answers: { 200: { description: "The fields as they stand now.", schema: fieldsAnswer } },
      handle: async ({ params: { id: asked }, ifMatch }) => {
        const { id, fields } = await found(asked);
        if (!fields.has("override")) throw new Problem("not-found", { detail: "the device has no override" });
        return write(id, { set: new Map(), remove: ["override"] }, ifMatch);
      },
    }),
    defineRoute({
      method: "delete",
      path: "/devices/{id}",
      role: "operator",
      tag: "devices",
      summary: "Forget a record, with the state of its mailboxes and its last requests",
      ifMatch: "optional",
      params,
      query: nothing,
      body: z.strictObject({ why }),
      answers: { 200: { description: "It is forgotten.", schema: z.strictObject({ id: z.string() }) } },
      handle: async ({ params: { id: asked }, ifMatch }) => {
        const { id, fields } = await found(asked);
        requireRecordTag(ifMatch, fields);
        await store.forget(id);
        return { httpStatus: 200, body: { id }, changed: { about: [id], before: Object.fromEntries(fields) } };
      },
    }),
    defineRoute({
      method: "get",
      path: "/devices/{id}/why",
      role: "viewer",
      tag: "devices",
      summary: "Why a device is judged as it is, what each campaign says, what was asked last, and what will change it",
      params,
      query: z.strictObject({
        at: z.iso
          .datetime({ offset: true })
          .optional()
          .meta({ description: "As it will be, or was, at another time." }),
        as: word.optional().meta({ description: "Whose credential comes with the request; missing: the owner's." }),
        with: z
          .union([z.string(), z.array(z.string()).max(WITH_LIMIT)])
          .optional()
          .meta({
            description: "As if the record said this: osVersion=26.1, or app=ID for one app more; may come again.",
          }),
      }),
      body: noBody,
      answers: {
        200: {
          description: "The verdict and what led to it. Ages are in milliseconds.",
          schema: z.looseObject({
            id: z.string(),
            at: time,
            verdict: z.looseObject({ action: z.string(), reason: z.string() }),
          }),
        },
      },
      handle: async ({ params: { id }, query }) => {
        const at = query.at === undefined ? now() : new Date(query.at);
        const supposed = query.with === undefined ? undefined : supposedOf([query.with].flat(), at);
        return {
          httpStatus: 200,
          body: await explainDevice({ store, configured }, { tried: spellingsOf(id), person: query.as, at, supposed }),
        };
      },
    }),
    defineRoute({
      method: "get",
      path: "/devices/{id}/last-requests",
      role: "viewer",
      tag: "devices",
      summary: "What was asked last with the id, and how it was answered, the newest first",
      params,
      query: nothing,
      body: noBody,
      answers: {
        200: { description: "The requests.", schema: z.strictObject({ items: z.array(z.looseObject({ at: time })) }) },
      },
      handle: async ({ params: { id } }) => {
        const ids = new Set([await canonical(id), ...spellingsOf(id)]);
        return { httpStatus: 200, body: { items: await store.lastRequests([...ids]) } };
      },
    }),
  ];
}

const fieldsAnswer = z.strictObject({ id: z.string(), fields: z.record(z.string(), z.string()) });

/** @throws Problem with everything that could not be read back as it is meant */
function changeOf(
  { set: given, remove }: { readonly set: Readonly<Record<string, string>>; readonly remove: readonly string[] },
  now: Date,
): { readonly set: Fields; readonly remove: readonly string[] } {
  const set = new Map(Object.entries(given));
  if (set.size + remove.length === 0)
    throw new Problem("not-changed", { detail: "neither set nor remove says anything" });
  // Whose word it is must stand in it, which only its own route can say.
  const isOverride = [...set.keys(), ...remove].some((name) => name.toLowerCase() === "override");
  if (isOverride) throw invalid([{ pointer: "/set/override", detail: "is written at /devices/{id}/override" }]);
  const both = remove.filter((name) => set.has(name));
  requireReadable(set, now);
  if (both.length > 0) throw invalid([{ pointer: "/remove", detail: "names a field that is set too" }]);
  return { set, remove };
}

function supposedOf(assignments: readonly string[], at: Date) {
  const pairs = assignments.map((each): readonly [string, string] => {
    const equals = each.indexOf("=");
    if (equals < 1)
      throw invalid([{ pointer: "/with", detail: "must be field=value, or field= to remove it" }], "query");
    return [each.slice(0, equals), each.slice(equals + 1)];
  });
  const fields = pairs.filter(([name]) => name !== "app");
  const set = new Map(fields.filter(([, value]) => value !== ""));
  requireReadable(set, at, "query");
  return {
    set,
    remove: fields.filter(([, value]) => value === "").map(([name]) => name),
    apps: pairs.filter(([name, value]) => name === "app" && value !== "").map(([, app]) => app),
  };
}

function requireReadable(set: Fields, now: Date, place: "body" | "query" = "body"): void {
  const faults = checkFields(set, now);
  if (faults.length === 0) return;
  throw invalid(
    faults.map(({ field, problem }) => ({ pointer: `/set/${field.slice(0, 64)}`, detail: problem })),
    place,
  );
}

function invalid(errors: readonly { readonly pointer: string; readonly detail: string }[], place = "body"): Problem {
  return new Problem("invalid-request", { members: { errors: errors.map((error) => ({ in: place, ...error })) } });
}

function filterOf(wanted: Filters): (record: DeviceRecord) => boolean {
  const { owner, region, group, platform, ownership, compliance, override, app } = wanted;
  const same = (one: string | undefined, other: string): boolean => one?.toLowerCase() === other.toLowerCase();
  return (record) =>
    (owner === undefined || same(record.owner, owner) || same(record.email, owner)) &&
    (region === undefined || same(record.region, region)) &&
    (group === undefined || record.groups.some((each) => same(each, group))) &&
    (platform === undefined || record.platform === platform) &&
    (ownership === undefined || record.ownership === ownership) &&
    (compliance === undefined || record.compliance === compliance) &&
    (override === undefined || (record.override?.action ?? "none") === override) &&
    (app === undefined || record.apps?.some(({ id }) => same(id, app)) === true);
}
