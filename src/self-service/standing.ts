/** How far a person has come with a phone: from the verdict, which alone says whether mail flows, and from what was asked. Pure. */
import { RECHECK_GAP_MS, RECHECK_TTL_MS } from "../inventory/recheck.ts";
import type { Recheck, RecheckEnd, RecheckStep } from "../inventory/recheck.ts";
import type { Finding, Verdict } from "../policy/verdict.ts";

type Stage =
  /** Something is held against the phone, and nothing is under way. */
  | "to-do"
  | "checking"
  /** The phone has answered, and is being judged. */
  | "answered"
  /** The last check has ended without what was hoped for. */
  | "ended"
  /** Nothing is held against it any more, and it has not come for its mail yet. */
  | "clear"
  | "back"
  /** Nothing is held against it, and nothing was asked. */
  | "well";

export interface Standing {
  readonly stage: Stage;
  /** Of the check that is under way, or of the last one. */
  readonly steps: Readonly<Partial<Record<RecheckStep, Date>>>;
  readonly source: string | undefined;
  /** Where the stage is `ended`. */
  readonly end: RecheckEnd | undefined;
  /** Whether another check may be asked for: there is one that would change something, and none is under way. */
  readonly mayAsk: boolean;
  /** Where that has to wait. */
  readonly mayAskFrom: Date | undefined;
}

/** After these another one would end as this did; the next report comes by itself. */
const beyondAsking: ReadonlySet<RecheckEnd | undefined> = new Set(["no-source", "cannot-hurry"]);
/** What no report of the phone puts right. */
const beyondReports: ReadonlySet<Finding["kind"]> = new Set(["override", "owner-mismatch"]);

export function standingOf(
  { action, demands }: Pick<Verdict, "action" | "demands">,
  recheck: Recheck | undefined,
  now: Date,
): Standing {
  const end = recheck && endOf(recheck, now);
  const stage = action === "allow" && demands.length === 0 ? released(recheck, end) : demanded(recheck, end);
  const isOver = stage === "to-do" || (stage === "ended" && !beyondAsking.has(end));
  const mayAsk = isOver && demands.some(({ kind }) => !beyondReports.has(kind));
  const from = recheck && new Date(recheck.askedAt.getTime() + RECHECK_GAP_MS);
  return {
    stage,
    steps: recheck?.steps ?? {},
    source: recheck?.source,
    end: stage === "ended" ? end : undefined,
    mayAsk,
    mayAskFrom: mayAsk && from !== undefined && from > now ? from : undefined,
  };
}

/** What nobody has ended in its time, for want of anybody who would, has had no answer. */
function endOf({ end, steps, askedAt }: Recheck, now: Date): RecheckEnd | undefined {
  if (end !== undefined || steps.clear !== undefined) return end;
  return now.getTime() - askedAt.getTime() >= RECHECK_TTL_MS ? "no-answer" : undefined;
}

function released(recheck: Recheck | undefined, end: RecheckEnd | undefined): Stage {
  if (recheck?.steps["mail-back"] !== undefined) return "back";
  return recheck !== undefined && end === undefined ? "clear" : "well";
}

function demanded(recheck: Recheck | undefined, end: RecheckEnd | undefined): Stage {
  // Cleared once, and something else has been found since: that is a new story.
  if (recheck === undefined || recheck.steps.clear !== undefined) return "to-do";
  if (end !== undefined) return "ended";
  return recheck.steps.answered === undefined ? "checking" : "answered";
}
