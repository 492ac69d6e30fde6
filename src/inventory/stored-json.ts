/** Reads what Postern itself wrote into documents. What cannot be read is nothing: it never throws. */
import { isJsonObject } from "../store/field-values.ts";
import type { JsonObject } from "../store/field-values.ts";

function valueIn(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function objectIn(text: string | undefined): JsonObject {
  const value = valueIn(text);
  return isJsonObject(value) ? value : {};
}

export function listIn(text: string | undefined): readonly unknown[] {
  return listOf(valueIn(text));
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textsOf(value: unknown): readonly string[] {
  return listOf(value).flatMap((each) => (typeof each === "string" ? each : []));
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function flagOf(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

export function dateOf(value: unknown): Date | undefined {
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? undefined : new Date(ms);
}
