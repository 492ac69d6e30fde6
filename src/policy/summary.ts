/** From what every rule says to one verdict. */
import { earlier } from "./time.ts";
import { reasons } from "./verdict.ts";
import type { Finding, Reason, Ruling, Verdict } from "./verdict.ts";

/** The strictest action, the weightiest reason, every finding. Campaigns that only look on change nothing. */
export function summarise(rulings: readonly Ruling[]): Verdict {
  const ordered = rulings
    .map((ruling) => ({ ruling, weight: weightOf(ruling) }))
    .toSorted((a, b) => a.weight - b.weight)
    .map(({ ruling }) => ruling);
  const counting = ordered.filter(({ shadow }) => shadow !== true);
  const first = counting.find(isSaid);
  const verdict = { action: actionOf(first), state: first?.state ?? "compliant", reason: reasonOf(first) } as const;
  const strictest = ordered.find(isSaid);
  const wouldBe = { action: actionOf(strictest), reason: reasonOf(strictest) } as const;
  const reminders = counting.reduce((sum, ruling) => sum + (ruling.reminders ?? 0), 0);
  return {
    ...verdict,
    findings: counting.flatMap(({ finding }) => finding ?? []),
    demands: counting
      .filter(({ action }) => action !== "allow")
      .flatMap(({ finding }) => finding ?? [])
      .toSorted((a, b) => dueAt(a) - dueAt(b)),
    changesAt: rulings.reduce<Date | undefined>((next, { changesAt }) => earlier(next, changesAt), undefined),
    holdsUntil: counting.reduce<Date | undefined>((next, { holdsUntil }) => earlier(next, holdsUntil), undefined),
    rulings: ordered,
    ...(reminders > 0 && { reminders }),
    ...((wouldBe.action !== verdict.action || wouldBe.reason !== verdict.reason) && { wouldBe }),
  };
}

const actionWeight = { block: 0, quarantine: 1, warn: 2, allow: 3 } as const;
const places: ReadonlyMap<string, number> = new Map(reasons.map((reason, place) => [reason, place]));

function weightOf({ action, reason }: Ruling): number {
  return actionWeight[action] * (reasons.length + 1) + (places.get(reason) ?? reasons.length);
}

/** Whether a ruling says something about the device; that a requirement is fulfilled is no reason for anything. */
function isSaid({ reason, phase, action }: Ruling): boolean {
  return isReason(reason) && reason !== "compliant" && !(phase === "scheduled" && action === "allow");
}

function actionOf(ruling: Ruling | undefined): "allow" | "quarantine" | "block" {
  return ruling === undefined || ruling.action === "warn" ? "allow" : ruling.action;
}

function reasonOf(ruling: Ruling | undefined): Reason {
  return ruling !== undefined && isReason(ruling.reason) ? ruling.reason : "compliant";
}

function isReason(reason: Ruling["reason"]): reason is Reason {
  return places.has(reason);
}

/** What has no deadline is due already. */
function dueAt(finding: Finding): number {
  return "deadline" in finding && finding.deadline !== undefined ? finding.deadline.getTime() : -Infinity;
}
