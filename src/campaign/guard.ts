/** How many phones a campaign may cut without a second, explicit yes. Pure, and in words. */
import type { Preview } from "./preview-result.ts";

export type GuardCheck =
  | { readonly kind: "within" }
  | {
      readonly kind: "exceeded";
      /** Phones whose mail flows today and would stop, now or at a deadline. This is what has to be confirmed. */
      readonly cut: number;
      readonly records: number;
      readonly maxShare: number;
      /** Undefined: no limit by number. */
      readonly maxDevices: number | undefined;
    };

/** Without a guard everything is within it. */
export function checkGuard({ guard, newlyCut, records }: Pick<Preview, "guard" | "newlyCut" | "records">): GuardCheck {
  if (guard === undefined) return { kind: "within" };
  const { maxShare, maxDevices } = guard;
  // Phones without a record count as cut, and the share is one of records: a small store is soon exceeded, on the safe side.
  const isWithin = newlyCut <= (maxDevices ?? Infinity) && newlyCut <= maxShare * records;
  return isWithin ? { kind: "within" } : { kind: "exceeded", cut: newlyCut, records, maxShare, maxDevices };
}

/** Why it was refused. */
export function guardRefusal(campaign: string, check: Extract<GuardCheck, { kind: "exceeded" }>): string {
  const { cut, records, maxShare, maxDevices } = check;
  const share = records === 0 ? "" : ` (${percent(cut / records)} of ${grouped(records)})`;
  const limits = [
    ...(maxDevices === undefined ? [] : [grouped(maxDevices)]),
    ...(maxShare < 1 ? [`${percent(maxShare)} of all devices with a record`] : []),
  ];
  return [
    `${campaign} would cut ${grouped(cut)} ${cut === 1 ? "phone" : "phones"}${share}.`,
    `Its guard allows ${limits.length === 0 ? "no more than there are records" : limits.join(", and ")}.`,
  ].join("\n");
}

export interface Confirmation {
  /** The number of phones, as the person typed it. */
  readonly devices: number | undefined;
  readonly who: string;
}

export type Confirmed = "yes" | "not-confirmed" | "other-number" | "same-person";

/**
 * A yes counts for the very number that was shown: who confirms after the store has changed sees the new one first.
 * @param asker who asked for the change, where the organisation wants that another person confirms it.
 */
export function confirmationOf(
  { cut }: Extract<GuardCheck, { kind: "exceeded" }>,
  { devices, who }: Confirmation,
  asker?: string,
): Confirmed {
  if (devices === undefined) return "not-confirmed";
  if (devices !== cut) return "other-number";
  return asker !== undefined && asker.trim().toLowerCase() === who.trim().toLowerCase() ? "same-person" : "yes";
}

/** A quarter more than was previewed: phones that were off, records that came since, and the error of counting. */
const PREVIEW_MARGIN = 1.25;
/** Ten phones are a coincidence where hardly any were previewed. */
const PREVIEW_MARGIN_DEVICES = 10;

/**
 * How many phones a campaign that is in force may have cut before it pauses itself: what its guard allows, or what was
 * previewed with some room, whichever is more. Undefined: nobody has said anything about it.
 */
export function runtimeLimit(
  guard: { readonly maxShare: number; readonly maxDevices: number | undefined } | undefined,
  preview: Pick<Preview, "cut" | "records"> | undefined,
): number | undefined {
  const byNumber = guard?.maxDevices ?? Infinity;
  // Without a preview nobody knows of how many the share is one.
  const byShare =
    guard === undefined || preview === undefined ? Infinity : Math.floor(guard.maxShare * preview.records);
  const guarded = guard === undefined ? 0 : Math.min(byNumber, byShare);
  const previewed = preview === undefined ? 0 : Math.ceil(preview.cut * PREVIEW_MARGIN) + PREVIEW_MARGIN_DEVICES;
  if (guard === undefined && preview === undefined) return undefined;
  const limit = Math.max(Number.isFinite(guarded) ? guarded : 0, previewed);
  return limit === 0 ? undefined : limit;
}

export function percent(share: number): string {
  const hundredths = share * 100;
  return `${hundredths >= 10 || Number.isInteger(hundredths) ? Math.round(hundredths) : hundredths.toFixed(1)}%`;
}

/** 12 345 with narrow spaces in between is hard to copy; plain spaces are not. */
export function grouped(number: number): string {
  return String(number).replaceAll(/\B(?=(\d{3})+$)/g, " ");
}
