/** The connector that only listens: records and signals that a site's own scripts push, each request signed or with a token. */
import type { Connector, ReceivedRequest, Received, ReceiverAnswer, ReportResult } from "../../inventory/connector.ts";
import { checkBearer } from "../rest/bearer-check.ts";
import type { BearerOptions } from "../rest/bearer-check.ts";
import { readRecords } from "./records.ts";
import type { PushedRecord } from "./records.ts";
import { isFresh, isSigned, signedParts, SKEW_LIMIT_MS } from "./signature.ts";

export interface PushSettings {
  readonly source: string;
  /** Any of them counts. None: only tokens do. */
  readonly secrets: readonly string[];
  readonly bearer: BearerOptions | undefined;
  readonly deliveriesPerMinute: number;
}

export interface PushDeps {
  readonly remember: (word: string, ttlMs: number) => Promise<boolean>;
  readonly forget: (word: string) => Promise<void>;
}

/** 5 MiB. */
export const PUSH_BODY_LIMIT_BYTES = 5_242_880;
const minuteMs = 60_000;

export function createPush({ source, secrets, bearer, deliveriesPerMinute }: PushSettings, deps: PushDeps): Connector {
  const allow = createMinuteLimit(deliveriesPerMinute);

  async function receive(request: ReceivedRequest, now: Date): Promise<Received> {
    const { headers, body } = request;
    // 401 for whoever shows nothing, 403 for whatever does not hold; neither says what is wrong with it.
    const parts = signedParts(headers);
    if (parts === undefined || secrets.length === 0) {
      if (bearer === undefined || !headers.has("authorization")) return refusal(401);
      const result = await checkBearer(headers.get("authorization"), bearer, now);
      if (result !== "good") return refusal(result === "bad" ? 403 : 503);
      return room(now) ?? read(request);
    }
    if (!isSigned(parts, signedBytes(request, body), secrets) || !isFresh(parts, now)) return refusal(403);
    const full = room(now);
    if (full !== undefined) return full;
    const word = `delivery/${parts.id}`;
    // Twice the skew: a delivery from a clock ahead of ours is fresh for so long.
    const isNew = await deps.remember(word, SKEW_LIMIT_MS * 2);
    if (!isNew) return refusal(403);
    return { ...read(request), undo: () => deps.forget(word) };
  }

  function room(now: Date): Received | undefined {
    const retryAfterSeconds = allow(now.getTime());
    if (retryAfterSeconds === 0) return undefined;
    return nothing({ httpStatus: 429, headers: new Map([["retry-after", String(retryAfterSeconds)]]) });
  }

  function read(request: ReceivedRequest): Received {
    if (request.method === "DELETE") return removal(source, request);
    if (request.method !== "POST" || request.path !== "") return refusal(404);
    const records = readRecords(source, request.headers.get("content-type") ?? "", request.body);
    return records === undefined ? nothing(unreadable) : received(records);
  }

  return {
    source,
    kind: "push",
    abilities: { apps: "all", easDeviceIds: true, incremental: false, lists: false, refresh: undefined },
    // Nobody asks for anything here: it only speaks.
    async *full() {},
    health: async () => undefined,
    receiver: {
      bodyLimitBytes: PUSH_BODY_LIMIT_BYTES,
      receive: (request, context) => receive(request, context.now()).catch(() => refusal(503)),
    },
  };
}

const unreadable: ReceiverAnswer = {
  httpStatus: 400,
  body: {
    problem:
      "the body must be application/json, a record or {devices: [...]}, or application/x-ndjson, a record on each line, in UTF-8; 10000 records at most",
  },
};

/** The path of a DELETE says which device, so it is signed as the body that it has not. */
function signedBytes({ method, path }: ReceivedRequest, body: Uint8Array): Uint8Array {
  return method === "DELETE" && body.byteLength === 0 ? Buffer.from(path) : body;
}

/** DELETE /v1/inventory/SOURCE/ID: managed no more. */
function removal(source: string, { path, body }: ReceivedRequest): Received {
  const encoded = /^\/([^/]+)$/.exec(path)?.[1];
  const sourceDeviceId = encoded === undefined ? undefined : decode(encoded);
  if (sourceDeviceId === undefined || body.byteLength > 0) return refusal(404);
  return received([{ kind: "report", report: { source, sourceDeviceId, enrolled: false } }]);
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The results of all records, in the order in which they stood in the body. */
function received(records: readonly PushedRecord[]): Received {
  const reports = records.flatMap((each) => (each.kind === "report" ? [each.report] : []));
  const elsewhere = records.flatMap((each) => (each.kind === "signal" ? [each.key] : []));
  return {
    reports,
    signals: [],
    elsewhere,
    refresh: [],
    answer(results): ReceiverAnswer {
      let next = 0;
      const all = records.map((record) => {
        if (record.kind === "bad") return { result: "rejected", problem: record.problem };
        if (record.kind === "signal") return { result: "accepted" };
        const result = results[next];
        next += 1;
        return shown(result);
      });
      return { httpStatus: 200, body: { results: all } };
    },
  };
}

function shown(result: ReportResult | undefined): { readonly result: string; readonly problem?: string } {
  if (result === undefined) return { result: "rejected", problem: "was not looked at" };
  return result.kind === "rejected" ? { result: "rejected", problem: result.problem } : { result: result.kind };
}

function refusal(httpStatus: number): Received {
  return nothing({ httpStatus });
}

function nothing(answer: ReceiverAnswer): Received {
  return { reports: [], signals: [], refresh: [], answer: () => answer };
}

/** Seconds to wait; 0 where there is room. */
function createMinuteLimit(perMinute: number): (nowMs: number) => number {
  let beganAt = Number.NEGATIVE_INFINITY;
  let count = 0;
  return (nowMs) => {
    if (nowMs - beganAt >= minuteMs || nowMs < beganAt) {
      beganAt = nowMs;
      count = 0;
    }
    if (count >= perMinute) return Math.max(1, Math.ceil((beganAt + minuteMs - nowMs) / 1000));
    count += 1;
    return 0;
  };
}
