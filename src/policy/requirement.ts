import type { Platform } from "./device.ts";

/** One condition that can be checked. */
export type Requirement = AbsentRequirement;

/** An app that must not be on the phone, by the ids it goes by on each platform. */
export interface AbsentRequirement {
  readonly kind: "absent";
  /** As people know it: it stands in the notice. */
  readonly name: string;
  /** Compared without case. `ios` ids also count on `ipados`. A platform without ids is not concerned. */
  readonly ids: ReadonlyMap<Platform, readonly string[]>;
}
