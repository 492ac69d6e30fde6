/** What the receivers of webhooks have in common. */
import type * as z from "zod";
import type { Received } from "../../inventory/connector.ts";

/** An answer, and nothing to be taken in. */
export function answered(httpStatus: number): Received {
  return { reports: [], signals: [], refresh: [], answer: () => ({ httpStatus }) };
}

/** JSON of this shape; undefined for anything else. */
export function readJsonBody<T>(body: Uint8Array, shape: z.ZodType<T>): T | undefined {
  try {
    return shape.safeParse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body))).data;
  } catch {
    return undefined;
  }
}
