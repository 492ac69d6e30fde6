/** Wishes to be looked at anew, as documents of the store: one for each device, which every node may read and take further. */
import type { DeviceId } from "../policy/device.ts";
import { toDeviceId } from "../policy/device.ts";
import type { Act, DocumentKey, Fields, FieldsChange } from "../store/documents.ts";
import type { Store } from "../store/store.ts";
import { RECHECK_GAP_MS, RECHECK_TTL_MS, recheckEnds, recheckSteps } from "./recheck.ts";
import type { Recheck, RecheckAnswer, Rechecks, RecheckStep } from "./recheck.ts";

export function createRechecks(store: Pick<Store, "readDocuments" | "documents" | "transact" | "onChange">): Rechecks {
  return {
    ask: (device, by, at) =>
      store.transact([keyOf(device)], ([fields]): Act<RecheckAnswer> => {
        const last = fields === undefined ? undefined : decode(device, fields);
        if (last !== undefined && isUnderWay(last, at)) return unchanged({ kind: "under-way", recheck: last });
        const from = last === undefined ? at : new Date(last.askedAt.getTime() + RECHECK_GAP_MS);
        // A clock that was set back must not lock anybody out for long.
        if (last !== undefined && last.askedAt <= at && at < from)
          return unchanged({ kind: "too-soon", from, recheck: last });
        const recheck: Recheck = {
          device,
          number: (last?.number ?? 0) + 1,
          askedAt: at,
          steps: { asked: at },
          end: undefined,
          endedAt: undefined,
          source: undefined,
          by,
        };
        return { changes: [written(recheck)], result: { kind: "asked", recheck } };
      }),

    async read(device) {
      const [fields] = await store.readDocuments([keyOf(device)]);
      return fields === undefined ? undefined : decode(device, fields);
    },

    advance: (device, number, to) =>
      store.transact([keyOf(device)], ([fields]) => {
        const last = fields === undefined ? undefined : decode(device, fields);
        const next = last === undefined || last.number !== number ? undefined : advanced(last, to);
        return { changes: next === undefined ? [] : [written(next)], result: next !== undefined };
      }),

    async *open(now) {
      for await (const [name, fields] of store.documents("recheck", "")) {
        const device = toDeviceId(name);
        const recheck = device === undefined ? undefined : decode(device, fields);
        if (recheck !== undefined && isUnderWay(recheck, now)) yield recheck;
      }
    },

    onChange: (listener) =>
      store.onChange((change) => {
        if (change.kind === "everything") return listener(undefined);
        if (change.kind !== "document" || change.of !== "recheck") return;
        const device = toDeviceId(change.name);
        if (device !== undefined) listener(device);
      }),
  };
}

/** Whether anything may still come of it. */
function isUnderWay({ steps, end, askedAt }: Recheck, now: Date): boolean {
  const isOver = end !== undefined || steps["mail-back"] !== undefined;
  return !isOver && now.getTime() < askedAt.getTime() + RECHECK_TTL_MS;
}

/** Undefined where there is nothing to change. Steps between the last one and this were taken too, if nobody saw them. */
function advanced(last: Recheck, to: Parameters<Rechecks["advance"]>[2]): Recheck | undefined {
  const isOver = last.end !== undefined || last.steps["mail-back"] !== undefined;
  if (isOver) return undefined;
  if ("end" in to) return { ...last, end: to.end, endedAt: to.at };
  if (last.steps[to.step] !== undefined) return undefined;
  return { ...last, steps: { ...last.steps, [to.step]: to.at }, source: to.source ?? last.source };
}

function unchanged(result: RecheckAnswer): Act<RecheckAnswer> {
  return { changes: [], result };
}

function keyOf(device: DeviceId): DocumentKey {
  return { kind: "recheck", name: device };
}

function written({ device, number, steps, end, endedAt, source, by }: Recheck): FieldsChange {
  const set = new Map<string, string>([
    ["number", String(number)],
    ["by", by],
  ]);
  for (const step of recheckSteps) {
    const at = steps[step];
    if (at !== undefined) set.set(step, at.toISOString());
  }
  if (end !== undefined) set.set("end", end);
  if (endedAt !== undefined) set.set("endedAt", endedAt.toISOString());
  if (source !== undefined) set.set("source", source);
  return { key: keyOf(device), set, remove: "everything", ttlMs: RECHECK_TTL_MS * 2 };
}

/** Undefined for what no program of ours has written: then there is none. */
function decode(device: DeviceId, fields: Fields): Recheck | undefined {
  const number = Number(fields.get("number"));
  const steps: Partial<Record<RecheckStep, Date>> = {};
  for (const step of recheckSteps) {
    const at = timeIn(fields, step);
    if (at !== undefined) steps[step] = at;
  }
  const askedAt = steps.asked;
  if (!Number.isSafeInteger(number) || number < 1 || askedAt === undefined) return undefined;
  return {
    device,
    number,
    askedAt,
    steps,
    end: recheckEnds.find((each) => each === fields.get("end")),
    endedAt: timeIn(fields, "endedAt"),
    source: fields.get("source"),
    by: fields.get("by") ?? "",
  };
}

function timeIn(fields: Fields, name: string): Date | undefined {
  const at = new Date(fields.get(name) ?? "");
  return Number.isNaN(at.getTime()) ? undefined : at;
}
