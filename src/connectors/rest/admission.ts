/** The budget of a system, as its client sees it. `sync/` owns it, for all calls to that system whoever makes them. */

export interface Admission {
  /** Resolves when a call may be made, with the way to say that it has ended. @throws the reason of the signal */
  enter(signal: AbortSignal): Promise<() => void>;
}

/** No budget at all, for a test and for a command that makes one call. */
export const freeAdmission: Admission = { enter: async () => () => undefined };
