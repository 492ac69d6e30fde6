/** The last preview of a campaign, kept in the store: the dashboard shows it, and the guard of every node goes by it. */
import type { TrafficStore } from "../store/store.ts";
import type { Preview } from "./preview-result.ts";

/** The part that a program decides by, checked; and all of it as JSON, for showing. */
export interface KeptPreview {
  readonly who: string;
  readonly at: string;
  readonly fingerprint: string;
  readonly cut: number;
  readonly newlyCut: number;
  readonly records: number;
  readonly preview: unknown;
}

export async function keepPreview(
  store: Pick<TrafficStore, "keepPreview">,
  preview: Preview,
  who: string,
): Promise<void> {
  const { at, fingerprint, cut, newlyCut, records } = preview;
  const kept: KeptPreview = { who, at, fingerprint, cut, newlyCut, records, preview };
  await store.keepPreview(preview.campaign, JSON.stringify(kept));
}

/** Undefined where none is kept, or none that can be read: it was then never made. @throws StoreUnavailable */
export async function readKeptPreview(
  store: Pick<TrafficStore, "readPreview">,
  campaign: string,
): Promise<KeptPreview | undefined> {
  const text = await store.readPreview(campaign);
  return text === undefined ? undefined : decode(text);
}

function decode(text: string): KeptPreview | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { who, at, fingerprint, cut, newlyCut, records, preview }: Partial<Record<keyof KeptPreview, unknown>> = value;
  if (typeof who !== "string" || typeof at !== "string" || typeof fingerprint !== "string") return undefined;
  if (!isCount(cut) || !isCount(newlyCut) || !isCount(records)) return undefined;
  return { who, at, fingerprint, cut, newlyCut, records, preview };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
