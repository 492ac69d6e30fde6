/** What remains of a request: one line in the log, and the numbers. */
import { campaignsIn, effectOf } from "../policy/effect.ts";
import type { DeviceHash } from "../telemetry/device-hash.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { LastRequest } from "../store/store.ts";
import type { Visit } from "./gateway.ts";
import type { Verdict } from "../policy/verdict.ts";
import type { LastRequests } from "./last-requests.ts";
import type { Traffic } from "./traffic.ts";

/** See `audit/verdict-changes.ts`. */
interface VerdictNotes {
  note(judged: {
    readonly id: LastRequest["id"];
    readonly account: string;
    readonly whose: LastRequest["whose"];
    readonly verdict: Verdict;
    readonly decidedAt: Date;
  }): void;
}

export interface RecordOptions {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly hashDevice: DeviceHash;
  readonly traffic: Pick<Traffic, "note">;
  readonly lastRequests: Pick<LastRequests, "note">;
  readonly verdictChanges: VerdictNotes;
  readonly now: () => Date;
}

/** A Sync that waits does so for a minute at least; one that was answered within this has not waited. */
const shortestWaitMs = 55_000;

export function createRecord({
  log,
  metrics,
  hashDevice,
  traffic,
  lastRequests,
  verdictChanges,
  now,
}: RecordOptions): (visit: Visit, decisionMs: number) => void {
  return function record(visit: Visit, decisionMs: number): void {
    const { res, accepted, claim, decision } = visit;
    const { request, route } = accepted;
    const { verdict, device } = decision;
    const protocol = route.protocol.name;
    const started = performance.now();
    const decidedAt = now();
    metrics.decided({ protocol, verdict: verdict.action, reason: verdict.reason }, decisionMs / 1000);
    const rulings = verdict.rulings ?? [];
    for (const [campaign, { isShadow }] of campaignsIn(rulings))
      metrics.judgedByCampaign({
        campaign,
        mode: isShadow ? "shadow" : "enforce",
        effect: effectOf(rulings, campaign),
      });
    // Written when the answer is over: one line has the decision and what became of it.
    res.once("close", () => {
      const totalMs = performance.now() - started + decisionMs;
      const waited = claim.mayPark && (claim.command === "Ping" || totalMs >= shortestWaitMs);
      metrics.answered({ protocol, command: claim.command, code: res.statusCode }, waited ? undefined : totalMs / 1000);
      // Only who has been accepted upstream: this answer says so, whether it came from there or from the gate.
      if (device !== undefined && res.statusCode === 200) {
        const { id, account, whose } = device;
        traffic.note({ id, account, verdict });
        verdictChanges.note({ id, account, whose, verdict, decidedAt });
        const request = lastRequestOf(visit, now());
        if (request !== undefined) lastRequests.note(request);
      }
      log.info("decision", {
        request: request.id,
        protocol,
        command: claim.command,
        device: device === undefined ? undefined : hashDevice(device.id),
        verdict: verdict.action,
        reason: verdict.reason,
        state: verdict.state,
        wouldBe: verdict.wouldBe?.action,
        wouldBeReason: verdict.wouldBe?.reason,
        attended: decision.attended || undefined,
        warned: (verdict.action === "allow" && verdict.demands.length > 0) || undefined,
        reportAgeSeconds:
          decision.reportedAt === undefined
            ? undefined
            : Math.round((now().getTime() - decision.reportedAt.getTime()) / 1000),
        httpStatus: res.statusCode,
        complete: res.writableFinished,
        decisionMs: Math.round(decisionMs * 1000) / 1000,
        totalMs: Math.round(totalMs),
      });
    });
  };
}

function lastRequestOf({ accepted, claim, decision }: Visit, at: Date): LastRequest | undefined {
  const { subject, command, asked } = claim;
  const { device, verdict } = decision;
  if (device === undefined || subject.kind !== "device") return undefined;
  const { action, reason, state } = verdict;
  return {
    id: device.id,
    whose: device.whose,
    account: device.account,
    at,
    spellings: subject.candidates,
    queryForm: asked?.queryForm,
    version: asked?.version,
    command,
    deviceType: asked?.deviceType,
    program: accepted.request.headers.get("user-agent"),
    action,
    reason,
    state,
  };
}
