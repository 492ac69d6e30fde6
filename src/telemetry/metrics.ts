/** Numbers for Prometheus: base units, `_total` for counters, no device or user in any label. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { createInventoryMetrics } from "./inventory-metrics.ts";
import type { InventoryMetrics } from "./inventory-metrics.ts";

export interface Metrics {
  readonly contentType: string;
  decided(labels: DecisionLabels, seconds: number): void;
  answered(
    labels: { readonly protocol: string; readonly command: string; readonly code: number },
    seconds: number | undefined,
  ): void;
  /** What each campaign made of a decision. A hundred campaigns at most are in force at once. */
  judgedByCampaign(labels: CampaignLabels): void;
  /** A campaign has cut more phones than were foreseen. */
  guardTripped(campaign: string): void;
  refused(code: string): void;
  failed(code: string): void;
  /** A connection of a client was ended before its time. */
  cut(cause: string): void;
  looped(kind: string): void;
  /** A page of the gate's own was asked for. */
  pageAsked(result: string): void;
  /** A person has asked to have a phone checked again. */
  checkAsked(result: string): void;
  /** An owner has said that a phone is a managed one of theirs. */
  registered(result: string): void;
  readonly inventory: InventoryMetrics;
  /** Asked for when somebody reads the numbers. */
  observe(gauges: () => GaugeValues): void;
  text(): Promise<string>;
}

interface DecisionLabels {
  readonly protocol: string;
  readonly verdict: string;
  readonly reason: string;
}

interface CampaignLabels {
  readonly campaign: string;
  readonly mode: "enforce" | "shadow";
  readonly effect: string;
}

interface GaugeValues {
  readonly waiting: number;
  readonly connections: number;
  /** Pages that are open and follow what happens. */
  readonly pageStreams: number;
  readonly storeUp: boolean;
  readonly storeDegraded: boolean;
  readonly lastKnownDevices: number;
  /** 0: the configuration file, or none. */
  readonly policyVersion: number;
  readonly policyInDoubt: boolean;
}

export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const decisions = new Counter({
    name: "postern_decisions_total",
    help: "Decisions by protocol, verdict and reason.",
    labelNames: ["protocol", "verdict", "reason"],
    registers,
  });
  const decisionSeconds = new Histogram({
    name: "postern_decision_duration_seconds",
    help: "From the request's head to its verdict.",
    buckets: [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.2, 0.5],
    registers,
  });
  const campaignDecisions = new Counter({
    name: "postern_campaign_decisions_total",
    help: "What each campaign did to a decision; in mode shadow, what it would have done.",
    labelNames: ["campaign", "mode", "effect"],
    registers,
  });
  const guards = new Counter({
    name: "postern_guard_tripped_total",
    help: "Campaigns that came to cut more phones than were foreseen, as far as this node has seen to it.",
    labelNames: ["campaign"],
    registers,
  });
  const requests = new Counter({
    name: "postern_requests_total",
    help: "Answered requests by protocol, command and HTTP status.",
    labelNames: ["protocol", "command", "code"],
    registers,
  });
  const requestSeconds = new Histogram({
    name: "postern_request_duration_seconds",
    help: "From the request's head to the end of its answer, without requests that wait for news.",
    labelNames: ["protocol"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const refusals = new Counter({
    name: "postern_refused_requests_total",
    help: "Requests that were refused before anything was decided about them.",
    labelNames: ["code"],
    registers,
  });
  const failures = new Counter({
    name: "postern_failed_requests_total",
    help: "Requests that could not be answered as they should.",
    labelNames: ["code"],
    registers,
  });
  const cuts = new Counter({
    name: "postern_cut_connections_total",
    help: "Connections of clients that were ended before their time, by cause.",
    labelNames: ["cause"],
    registers,
  });
  const loops = new Counter({
    name: "postern_stopped_loops_total",
    help: "Phones that went in circles and were stopped.",
    labelNames: ["kind"],
    registers,
  });
  const pages = new Counter({
    name: "postern_self_service_pages_total",
    help: "Pages about phones that were asked for, by what was shown.",
    labelNames: ["result"],
    registers,
  });
  const checks = new Counter({
    name: "postern_checks_asked_total",
    help: "Wishes of people to have their phone checked again, by what became of them.",
    labelNames: ["result"],
    registers,
  });
  const registrations = new Counter({
    name: "postern_registrations_total",
    help: "Words of owners that a phone is a managed one of theirs, by what became of them.",
    labelNames: ["result"],
    registers,
  });
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers });
  const waiting = gauge("postern_waiting_requests", "Requests that wait for news at the moment.");
  const connections = gauge("postern_client_connections", "Open connections of clients.");
  const pageStreams = gauge("postern_self_service_streams", "Open pages about phones that follow what happens.");
  const storeUp = gauge("postern_store_up", "1 while the store answers.");
  const storeDegraded = gauge(
    "postern_store_degraded",
    "1 while reads go past the cache because changes may be missed.",
  );
  const lastKnown = gauge(
    "postern_last_known_devices",
    "Devices whose last verdict is kept for when the store is away.",
  );
  const policyVersion = gauge("postern_policy_version", "The version of the policy in force; 0 for the file, or none.");
  const policyInDoubt = gauge(
    "postern_policy_in_doubt",
    "1 while the newest policy cannot be read, or the store has lost the one in force.",
  );
  new Gauge({ name: "postern_build_info", help: "Always 1.", labelNames: ["version", "node"], registers }).set(
    { version, node: process.version },
    1,
  );
  let read: (() => GaugeValues) | undefined;

  return {
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
    decided(labels, seconds): void {
      decisions.inc({ ...labels });
      decisionSeconds.observe(seconds);
    },
    answered({ protocol, command, code }, seconds): void {
      requests.inc({ protocol, command, code: String(code) });
      if (seconds !== undefined) requestSeconds.observe({ protocol }, seconds);
    },
    judgedByCampaign: ({ campaign, mode, effect }) => campaignDecisions.inc({ campaign, mode, effect }),
    guardTripped: (campaign) => guards.inc({ campaign }),
    refused: (code) => refusals.inc({ code }),
    failed: (code) => failures.inc({ code }),
    cut: (cause) => cuts.inc({ cause }),
    inventory: createInventoryMetrics(registry),
    looped: (kind) => loops.inc({ kind }),
    pageAsked: (result) => pages.inc({ result }),
    checkAsked: (result) => checks.inc({ result }),
    registered: (result) => registrations.inc({ result }),
    observe(gauges): void {
      read = gauges;
    },
    async text(): Promise<string> {
      const values = read?.();
      if (values !== undefined) {
        waiting.set(values.waiting);
        connections.set(values.connections);
        pageStreams.set(values.pageStreams);
        storeUp.set(values.storeUp ? 1 : 0);
        storeDegraded.set(values.storeDegraded ? 1 : 0);
        lastKnown.set(values.lastKnownDevices);
        policyVersion.set(values.policyVersion);
        policyInDoubt.set(values.policyInDoubt ? 1 : 0);
      }
      return registry.metrics();
    },
  };
}
