/** What was let through is given up when a new verdict takes it away: nothing of upstream's reaches the device from then on. */
import type { IncomingMessage } from "node:http";
import { discardRest } from "./screen.ts";
import type { Decide } from "./decide.ts";
import { idsOf } from "./decide.ts";
import type { Visit } from "./gateway.ts";
import type { Decision, Reply } from "./protocol.ts";
import type { Passed } from "./proxy.ts";
import { comeBackLater, writeAnswer } from "./reply.ts";
import type { Sessions } from "./sessions.ts";

export interface OverseeOptions {
  readonly decide: Decide;
  readonly sessions: Sessions;
  readonly now: () => Date;
  readonly onBackgroundFailure: (error: unknown, visit: Visit) => void;
}

export interface Oversight {
  /** Whether the device may no longer have what it asked for. Waits for a decision that is being made. */
  isWithdrawn(): Promise<boolean>;
  /** Upstream has the request from now on. `body`: what it says, where it was kept. */
  begin(passed: Passed, body: Uint8Array | undefined): void;
  /** Ends the watch, and says what it has done. */
  stop(): Outcome;
}

/** `answered`: with the exact answer of the protocol. `cut`: without one. */
type Outcome = "untouched" | "answered" | "cut";

/**
 * For a request that has no exact answer. What upstream has nearly done may be finished: the phone then knows what became of
 * it. Clearly under the second in which a verdict takes effect.
 */
const graceMs = 500;
/** The next request is answered by the gate, so there is nothing to wait for but the end of this one. */
const cutAgainSeconds = 5;
/** What a phone is still sending is read to its end, or it would not see the answer. */
const discardedLimitBytes = 64 * 1_048_576;

const never: Oversight = { isWithdrawn: () => Promise.resolve(false), begin: () => undefined, stop: () => "untouched" };

export function createOversee({ decide, sessions, now, onBackgroundFailure }: OverseeOptions) {
  return function oversee(visit: Visit): Oversight {
    const { claim, decision, req, res } = visit;
    // Who has no device is judged by the configuration alone, and that does not change while the program runs.
    if (claim.subject.kind !== "device") return never;
    let withdrawn = false;
    let outcome: Outcome = "untouched";
    let underway: { readonly passed: Passed; readonly body: Uint8Array | undefined } | undefined;
    let newest: Decision | undefined;
    let grace: NodeJS.Timeout | undefined;
    let deciding: Promise<void> | undefined;
    let again = false;

    const following = sessions.follow({
      ids: idsOf(claim.subject, decision),
      changesAt: decision.verdict.changesAt,
      waits: claim.mayPark,
      onNews,
    });
    // Whatever changed since the decision may have been this device; one decision too many costs microseconds.
    if (sessions.changes() !== decision.asOf) onNews();

    function onNews(): void {
      again = true;
      deciding ??= decideAnew();
    }

    /** One after the other: of two decisions the later one must count. */
    async function decideAnew(): Promise<void> {
      try {
        while (again) {
          again = false;
          consider(await decide(claim.subject));
        }
      } catch (error) {
        // What cannot be decided is not let through, as it would not be if it came now.
        withdrawn = true;
        onBackgroundFailure(error, visit);
        act();
      } finally {
        deciding = undefined;
      }
    }

    function consider(next: Decision): void {
      following.expect(next.verdict.changesAt);
      // While nothing can be known about the device, what was known of it stays true.
      if (next.verdict.action === "defer") return;
      newest = next;
      withdrawn = next.verdict.action !== "allow";
      act();
    }

    function act(): void {
      if (underway === undefined || outcome !== "untouched" || res.destroyed) return;
      const { passed, body } = underway;
      // Once upstream's own answer has begun there is no room for another one.
      const reply = passed.isAnswered() ? undefined : exactAnswer(body);
      if (reply?.kind === "answer") {
        outcome = "answered";
        passed.abandon();
        writeAnswer(res, reply);
      } else if (withdrawn) grace ??= setTimeout(endGrace, graceMs, passed);
    }

    function exactAnswer(body: Uint8Array | undefined): Reply | undefined {
      try {
        return newest === undefined ? undefined : claim.interrupt?.(body, newest, now());
      } catch (error) {
        onBackgroundFailure(error, visit);
        return undefined;
      }
    }

    function endGrace(passed: Passed): void {
      grace = undefined;
      if (!withdrawn || outcome !== "untouched" || res.destroyed) return;
      outcome = "cut";
      passed.abandon();
      if (passed.isAnswered()) hangUp(req);
      // A client that is gone, or never ends, hears nothing.
      else answerWithdrawn(visit).catch(() => res.destroy());
    }

    return {
      async isWithdrawn(): Promise<boolean> {
        await deciding;
        return withdrawn;
      },
      begin(passed, body): void {
        underway = { passed, body };
        // The verdict may have changed while the body was read.
        if (newest !== undefined || withdrawn) act();
      },
      stop(): Outcome {
        following.stop();
        clearTimeout(grace);
        return outcome;
      },
    };
  };
}

/**
 * 503: the phone comes again with all that it had, its old key included. So nothing that it uploaded counts as stored, whether
 * upstream had it or not, and the gate answers it then as the new verdict says. Upstream knows such repetitions: answers get
 * lost on every network (MS-ASCMD 3.1.5.9).
 */
export async function answerWithdrawn({ req, res }: Visit): Promise<void> {
  await discardRest(req, discardedLimitBytes);
  if (!res.destroyed) writeAnswer(res, comeBackLater(cutAgainSeconds));
}

/** What stands in buffers is mail too: a reset throws away what the kernel has not sent yet. TLS has no way to ask for one. */
function hangUp({ socket }: IncomingMessage): void {
  if ("encrypted" in socket) socket.destroy();
  else socket.resetAndDestroy();
}
