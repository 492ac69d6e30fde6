/** Builders for what sources say: a test names what matters to it, everything else is ordinary. */
import { createIntake } from "../../src/inventory/intake.ts";
import type { IntakeDeps } from "../../src/inventory/intake.ts";
import type { Intake, IntakeAlert, IntakeResult, InventoryReport, ReportedApps } from "../../src/inventory/report.ts";
import type { App } from "../../src/policy/device.ts";
import { anApp } from "./records.ts";

export const inventoryNow = new Date("2026-11-24T12:00:00Z");

/** Minutes before (below 0) or after that. */
export function at(minutes: number): Date {
  return new Date(inventoryNow.getTime() + minutes * 60_000);
}

export function aReport(parts: Partial<InventoryReport> = {}): InventoryReport {
  return {
    source: "jamf",
    sourceDeviceId: "17",
    enrolled: true,
    easDeviceIds: ["APPLF1"],
    owner: { email: "alice@corp.example", name: "alice" },
    platform: "ios",
    osVersion: "26.1",
    deviceAt: at(-10),
    ...parts,
  };
}

/** A report that speaks of nothing but what is named. */
export function aPart(parts: Partial<InventoryReport>): InventoryReport {
  return { source: "jamf", sourceDeviceId: "17", enrolled: true, ...parts };
}

export function apps(ids: readonly (string | App)[], time: Date, more: Partial<ReportedApps> = {}): ReportedApps {
  return { scope: "all", apps: ids.map((id) => (typeof id === "string" ? anApp(id) : id)), at: time, ...more };
}

export const ruleIds = ["com.zhiliaoapp.musically"] as const;

export interface TestIntake extends Intake {
  readonly alerts: IntakeAlert[];
  /** One after another, the result of the last. */
  takeEach(...reports: readonly InventoryReport[]): Promise<IntakeResult>;
}

export function anIntake(store: IntakeDeps["store"], parts: Partial<IntakeDeps> = {}): TestIntake {
  const alerts: IntakeAlert[] = [];
  const intake = createIntake({
    store,
    appIds: () => ruleIds,
    privacy: "all",
    homeDomains: ["corp.example"],
    ownerRequired: true,
    now: () => inventoryNow,
    onAlert: (_, alert) => alerts.push(alert),
    ...parts,
  });
  return {
    ...intake,
    alerts,
    async takeEach(...reports) {
      let last: IntakeResult = { kind: "stale" };
      for (const report of reports) last = await intake.take(report);
      return last;
    },
  };
}
