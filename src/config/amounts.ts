/** Amounts as people write them: a time span such as `4h`, a part of a whole such as `5%`. */
import { bad, good } from "./reading.ts";
import type { Reading } from "./reading.ts";

const unitMinutes = { m: 1, h: 60, d: 1_440 } as const;
export const durationPattern = "^\\d{1,5}[mhd]$";

/** Whole minutes, hours or days; the result is in minutes. */
export function readDuration(limitMinutes: number): (written: string) => Reading<number> {
  return (written) => {
    const [, digits = "", unit = ""] = /^(\d{1,5})([mhd])$/.exec(written) ?? [];
    if (unit !== "m" && unit !== "h" && unit !== "d")
      return bad("must be a number of minutes, hours or days, such as 30m, 4h or 2d");
    const minutes = Number(digits) * unitMinutes[unit];
    if (minutes < 1 || minutes > limitMinutes) return bad(`must be 1m to ${Math.floor(limitMinutes / 1_440)}d`);
    return good(minutes);
  };
}

export const sharePattern = "^(100|\\d{1,2})(\\.\\d{1,2})?%$";

/** A percentage; the result is 0 to 1. */
export function readShare(written: string): Reading<number> {
  const [, digits] = /^(\d{1,3}(?:\.\d{1,2})?)%$/.exec(written) ?? [];
  const share = digits === undefined ? Number.NaN : Number(digits) / 100;
  // 100 % is what leaving the key out means.
  return share > 0 && share <= 1 ? good(share) : bad("must be a percentage above 0 and up to 100, such as 5% or 0.5%");
}
