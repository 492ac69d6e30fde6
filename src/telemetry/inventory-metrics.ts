/** Numbers of the sync role. A label is the name of a configured source, never a device or a person. */
import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";

export interface InventoryMetrics {
  reported(source: string, result: string, count: number): void;
  alerted(source: string, alert: string): void;
  rechecked(outcome: string): void;
  answered(source: string, code: number): void;
  observed(leading: boolean, sources: readonly SourceGauges[]): void;
}

interface SourceGauges {
  readonly source: string;
  readonly succeededAtMs: number | undefined;
  readonly failures: number;
  readonly devices: number | undefined;
  readonly budgetLeft: number;
  readonly waiting: number;
  readonly signals: number;
}

export function createInventoryMetrics(registry: Registry): InventoryMetrics {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
    new Counter({ name, help, labelNames, registers });
  const gauge = (name: string, help: string): Gauge<"source"> =>
    new Gauge({ name, help, labelNames: ["source"], registers });

  const reports = counter("postern_inventory_reports_total", "Reports of sources by what became of them.", [
    "source",
    "result",
  ]);
  const alerts = counter("postern_inventory_alerts_total", "What an operator must look at in what sources say.", [
    "source",
    "alert",
  ]);
  const rechecks = counter("postern_inventory_rechecks_total", "Phones that were looked at anew, by how it ended.", [
    "outcome",
  ]);
  const requests = counter("postern_inventory_requests_total", "Requests to the inventory listener by HTTP status.", [
    "source",
    "code",
  ]);
  const success = gauge(
    "postern_inventory_last_success_timestamp_seconds",
    "When a sync of a source last came to its end.",
  );
  const failures = gauge("postern_inventory_failures", "Syncs of a source that failed in a row.");
  const devices = gauge("postern_inventory_devices", "Devices that the last full sync of a source named.");
  const budget = gauge("postern_inventory_budget_left", "Calls to a source that may be made at once.");
  const waiting = gauge("postern_inventory_waiting_calls", "Calls to a source that wait for their turn.");
  const signals = gauge(
    "postern_inventory_queued_signals",
    "Devices that a source has spoken of and that are not read yet.",
  );
  const leading = new Gauge({
    name: "postern_inventory_leading",
    help: "1 while this node speaks with the sources.",
    registers,
  });

  return {
    reported: (source, result, count) => reports.inc({ source, result }, count),
    alerted: (source, alert) => alerts.inc({ source, alert }),
    rechecked: (outcome) => rechecks.inc({ outcome }),
    answered: (source, code) => requests.inc({ source, code: String(code) }),
    observed(isLeading, sources): void {
      leading.set(isLeading ? 1 : 0);
      for (const each of sources) {
        const { source } = each;
        if (each.succeededAtMs !== undefined) success.set({ source }, each.succeededAtMs / 1000);
        failures.set({ source }, each.failures);
        if (each.devices !== undefined) devices.set({ source }, each.devices);
        budget.set({ source }, each.budgetLeft);
        waiting.set({ source }, each.waiting);
        signals.set({ source }, each.signals);
      }
    },
  };
}
