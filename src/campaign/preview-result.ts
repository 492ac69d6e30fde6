/** What a preview says: figures, and the few names that somebody asked for. */
import type { CampaignMode } from "../policy/campaign.ts";
import type { DeviceId, DeviceRecord } from "../policy/device.ts";
import type { Person } from "../policy/person.ts";
import type { NamedFigures } from "./bounded-counts.ts";
import type { Outcome } from "./outcome.ts";

/** All of it is JSON: it is kept for the dashboard and printed by `--json`. Times are ISO 8601. */
export interface Preview {
  readonly campaign: string;
  readonly title: string;
  readonly mode: CampaignMode;
  /** Of what the campaign asks for and of whom: a preview says nothing about another one of the same name. */
  readonly fingerprint: string;
  readonly at: string;
  readonly guard: { readonly maxShare: number; readonly maxDevices: number | undefined } | undefined;
  /** Devices with a record, whether the campaign concerns them or not. */
  readonly records: number;
  /** The sum of clean, warned, cut, excused and held. */
  readonly concerned: number;
  readonly clean: number;
  /** Mail flows for good, and the notice is among it. */
  readonly warned: number;
  readonly warnedNow: number;
  readonly excused: number;
  /** Held by the policy itself, whatever the campaign says. */
  readonly held: number;
  /** Now or at a deadline, if nothing changes until then. */
  readonly cut: number;
  readonly cutNow: number;
  /** Of those that are cut: whose mail flows today. */
  readonly newlyCut: number;
  readonly deadlines: readonly DeadlineFigures[];
  /** Phones with a deadline of their own, because they were enrolled shortly before that of everybody. */
  readonly graced: number;
  readonly waves: readonly (NamedFigures & { readonly first: string | undefined; readonly last: string | undefined })[];
  readonly stances: Readonly<Record<StanceName, StanceFigures>>;
  readonly traffic: TrafficFigures;
  readonly regions: readonly NamedFigures[];
  readonly groups: readonly NamedFigures[];
  readonly platforms: readonly NamedFigures[];
  readonly systems: readonly NamedFigures[];
  readonly reasons: readonly { readonly name: string; readonly cut: number }[];
  readonly important: readonly ImportantPhone[];
  /** Important people's phones that found no place in the list. */
  readonly importantMore: number;
  /** Some of the phones that would be cut, to look at. */
  readonly sample: readonly string[];
}

export interface DeadlineFigures {
  /** The first moment at which mail is kept back. */
  readonly from: string;
  readonly cut: number;
}

export const stanceNames = ["not-enrolled", "stale", "uninspectable", "unknown"] as const;
export type StanceName = (typeof stanceNames)[number];

interface StanceFigures {
  readonly devices: number;
  readonly warned: number;
  readonly cut: number;
}

/** The last hour at the gates. */
export interface TrafficFigures {
  readonly seen: number;
  /** False where more were seen than are looked at. */
  readonly isComplete: boolean;
  /** Concerned phones among them, those without a record included. */
  readonly concerned: number;
  readonly cut: number;
  /** No source knows them. */
  readonly strangers: number;
  readonly strangersCut: number;
}

export interface ImportantPhone {
  readonly device: string;
  readonly owner: string;
  readonly region: string | undefined;
  readonly platform: string | undefined;
  readonly effect: Outcome["effect"];
  readonly from: string | undefined;
  readonly reason: string;
}

export interface PreviewedPhone {
  readonly id: DeviceId;
  readonly record: DeviceRecord | undefined;
  /** Undefined: no name that could be read. */
  readonly person: Person | undefined;
  readonly outcome: Outcome;
  readonly isActive: boolean;
  readonly isImportant: boolean;
}
