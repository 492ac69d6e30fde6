/** The body of a push: one JSON document, or a record on each line. Each record stands or falls by itself. */
import * as z from "zod";
import { problemOf, reportOf, reportSchema, signalSchema } from "../../inventory/report-schema.ts";
import type { InventoryReport, ManagedKey } from "../../inventory/report.ts";

export type PushedRecord =
  | { readonly kind: "report"; readonly report: InventoryReport }
  | { readonly kind: "signal"; readonly key: ManagedKey }
  | { readonly kind: "bad"; readonly problem: string };

/** Records of one request. */
export const RECORDS_LIMIT = 10_000;

const devices = z.strictObject({ devices: z.array(z.unknown()).max(RECORDS_LIMIT) });

/** @returns undefined where the body as a whole is not in the form that its type says */
export function readRecords(
  source: string,
  contentType: string,
  body: Uint8Array,
): readonly PushedRecord[] | undefined {
  const text = textOf(body);
  if (text === undefined) return undefined;
  const type = contentType.toLowerCase().split(";")[0]?.trim() ?? "";
  if (type === "application/x-ndjson" || type === "application/ndjson") return readLines(source, text);
  if (type !== "application/json") return undefined;
  const value = parse(text);
  if (value === undefined) return undefined;
  const list = devices.safeParse(value);
  if (list.success) return list.data.devices.map((each) => readRecord(source, each));
  const isList = typeof value === "object" && value !== null && "devices" in value;
  return isList || typeof value !== "object" || Array.isArray(value) ? undefined : [readRecord(source, value)];
}

function readLines(source: string, text: string): readonly PushedRecord[] | undefined {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.length > RECORDS_LIMIT ? undefined : lines.map((line) => readLine(source, line));
}

/** One line of NDJSON. */
export function readLine(source: string, line: string): PushedRecord {
  const value = parse(line);
  return value === undefined ? { kind: "bad", problem: "is not JSON" } : readRecord(source, value);
}

export function readRecord(source: string, value: unknown): PushedRecord {
  const isSignal = typeof value === "object" && value !== null && "changed" in value;
  const result = isSignal ? signalSchema.safeParse(value) : reportSchema.safeParse(value);
  if (!result.success) return { kind: "bad", problem: problemOf(result.error) };
  const { data } = result;
  if ("changed" in data) {
    const { sourceDeviceId } = data;
    // This one cannot be asked: it only pushes.
    if (data.source === undefined || data.source === source) {
      return { kind: "bad", problem: "source: must name another source, which can be asked about the device" };
    }
    return { kind: "signal", key: { source: data.source, sourceDeviceId } };
  }
  if (data.source !== undefined && data.source !== source) return { kind: "bad", problem: "source: is another one" };
  return { kind: "report", report: reportOf(source, data) };
}

/** Undefined where it is none: `null` is JSON, but no record. */
function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value ?? undefined;
  } catch {
    return undefined;
  }
}

function textOf(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}
