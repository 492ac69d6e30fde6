/** What is kept of managed devices, whether or not a phone at the gate is known to be one of them. */
import type { DeviceId } from "../policy/device.ts";
import type { InventoryReport, ManagedKey } from "./report.ts";

/**
 * How an id at the gate came to be tied to a managed device, the strongest first. `mdm`: the device itself told its management system.
 * `managed-config`: the management system gave the mail app the id. `operator`: somebody said so, and who is kept. `self`: the owner
 * registered it from the page. `owner`: a mail app whose ids say nothing (Outlook), by the one phone of its owner.
 */
export const bindingKinds = ["mdm", "managed-config", "operator", "self", "owner"] as const;
export type BindingKind = (typeof bindingKinds)[number];

export interface Binding extends ManagedKey {
  /** The id at the gate, canonical. */
  readonly easDeviceId: DeviceId;
  readonly how: BindingKind;
  /** The owner's account at that time, lower-case; "" where nobody is named. */
  readonly account: string;
  readonly at: Date;
  /** Who said so, for `operator` and `self`. */
  readonly by: string | undefined;
  /** Other managed devices, of other people, that claim the same id. Not empty: the id counts for nobody. */
  readonly contestedBy: readonly ManagedKey[];
}

/** All that is known of one managed device, merged from its reports. */
export interface ManagedDevice extends ManagedKey {
  /** The parts as they were reported last; each with the age that the device gave it. */
  readonly report: InventoryReport;
  /** How many apps the last full list had, kept where the list itself is not. */
  readonly appsCount: number | undefined;
  /** When it was last heard of here, by our clock. */
  readonly heardAt: Date;
  /** The full sync in which it was last named: those that are not in the newest one are managed no more. */
  readonly sweep: string | undefined;
}
