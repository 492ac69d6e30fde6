/** A point in time that a campaign names: the same instant for everybody, or a time on each owner's own clock. */

export type Moment =
  | { readonly kind: "instant"; readonly at: Date }
  | {
      readonly kind: "owner-local";
      /** As it was announced, such as `2026-11-21T23:59`. */
      readonly wall: string;
      /** For an owner whose zone nobody knows. */
      readonly fallbackZone: string;
      readonly instantIn: (zone: string | undefined) => Date;
    };

/** More zones than the IANA list has names. */
const ZONES_LIMIT = 1_000;

/**
 * A time that clocks skip in an owner's zone is the moment at which they do, and of a time that they show twice it is the
 * second: whoever has until then is never given less than was announced, and the order of two times stays.
 *
 * @param wall a date and time that exist in the calendar, without offset.
 * @throws RangeError where one of the arguments is none; the configuration is checked before, so this is a bug.
 */
export function ownerLocal(wall: string, fallbackZone: string): Extract<Moment, { kind: "owner-local" }> {
  const plain = Temporal.PlainDateTime.from(wall, { overflow: "reject" });
  const inZone = (zone: string): Date => {
    const later = plain.toZonedDateTime(zone, { disambiguation: "later" });
    if (later.toPlainDateTime().equals(plain)) return new Date(later.epochMilliseconds);
    // Skipped: it lies behind the gap by as much as it lay within it, so the gap is the transition before or at that moment.
    const transition = later.add({ nanoseconds: 1 }).getTimeZoneTransition("previous");
    return new Date((transition ?? later).epochMilliseconds);
  };
  const fallback = inZone(fallbackZone);
  // The calendar of a zone costs more than the rest of a decision, and there are a few hundred of them.
  const known = new Map<string, Date>();

  function instantIn(zone: string | undefined): Date {
    if (zone === undefined) return fallback;
    const before = known.get(zone);
    if (before !== undefined) return before;
    const instant = knownZone(zone) ? inZone(zone) : fallback;
    if (known.size < ZONES_LIMIT) known.set(zone, instant);
    return instant;
  }

  return { kind: "owner-local", wall, fallbackZone, instantIn };
}

export function instantOf(moment: Moment, zone: string | undefined): Date {
  switch (moment.kind) {
    case "instant":
      return moment.at;
    case "owner-local":
      return moment.instantIn(zone);
  }
}

// Temporal says no by throwing.
function knownZone(zone: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
    return true;
  } catch {
    return false;
  }
}
