/** Answers in the protocol of whoever asks: with what one may see, instead of the mail. */
import type { Store } from "../store/store.ts";
import { decodeContent } from "./body.ts";
import type { CredentialProof } from "./credential-proof.ts";
import type { Decide } from "./decide.ts";
import { idsOf } from "./decide.ts";
import type { Visit } from "./gateway.ts";
import { targetOf } from "./pass.ts";
import type { PassStep } from "./pass.ts";
import type { Decision, LoopKind, MailRequest, Remediation, Reply } from "./protocol.ts";
import { comeBackLater, writeAnswer } from "./reply.ts";
import { discardRest, readWhole } from "./screen.ts";
import type { Sessions, Watch } from "./sessions.ts";

export interface RemediateOptions {
  readonly pass: PassStep;
  readonly decide: Decide;
  readonly sessions: Sessions;
  readonly store: Pick<Store, "updateMailbox">;
  readonly proof: CredentialProof;
  /** Called when upstream has accepted the credential of whoever asks. */
  readonly onProven: (visit: Visit) => void;
  readonly now: () => Date;
  readonly exchangeTimeoutMs: number;
  readonly report: (loop: LoopKind, visit: Visit) => void;
}

/** How long a device waits that cannot be decided about: long enough for a store to come back, short enough to go unnoticed. */
const deferSeconds = 60;

export function createRemediate({
  pass,
  decide,
  sessions,
  store,
  proof,
  onProven,
  now,
  exchangeTimeoutMs,
  report,
}: RemediateOptions) {
  return async function remediate(visit: Visit): Promise<void> {
    const { res, claim, decision } = visit;
    if (decision.verdict.action === "defer") return writeAnswer(res, comeBackLater(deferSeconds));
    const watch = sessions.watch(idsOf(claim.subject, decision), decision.asOf);
    res.once("close", () => watch.stop());
    try {
      const reply = await claim.remediate(contextOf(visit, watch));
      if (res.destroyed) return;
      if (reply.kind === "answer") return writeAnswer(res, reply);
      // What passes is watched over there, from the same decision on: it waits once, and is counted once.
      watch.stop();
      const passage = await pass(visit, reply);
      // Found on its way up. It is asked once more, by a request of which the beginning has been read.
      if (passage.kind === "attend") await remediate({ ...visit, taken: passage.taken });
    } finally {
      watch.stop();
    }
  };

  function contextOf(visit: Visit, watch: Watch): Remediation {
    const { req, accepted, claim, decision } = visit;
    const { request, route } = accepted;
    const pinned = route.upstream.pinFor(req.socket, request.credential.scheme === "connection");
    let { changesAt } = decision.verdict;

    return {
      request,
      decision,
      now: now(),
      holdsOurs: visit.taken !== undefined,
      async readBody(limitBytes): Promise<Uint8Array> {
        if (!request.hasBody) return new Uint8Array();
        return decodeContent(await readWhole(visit, limitBytes), request.headers.get("content-encoding"));
      },
      async discardBody(limitBytes): Promise<void> {
        if (request.hasBody) await discardRest(req, limitBytes);
      },
      exchange: (body, limitBytes, query) =>
        route.upstream.exchange({
          method: request.method,
          target: targetOf(visit, query),
          headers: readableHeaders(request),
          body,
          answerLimitBytes: limitBytes,
          timeoutMs: exchangeTimeoutMs,
          agent: pinned,
        }),
      async proveCredential(): Promise<Reply | undefined> {
        const refused = await proof.prove(request, route, pinned);
        if (refused === undefined) onProven(visit);
        return refused;
      },
      async remember(change): Promise<void> {
        const { device } = decision;
        if (device !== undefined) await store.updateMailbox({ device: device.id, account: device.account }, change);
      },
      async nextDecision(timeoutMs): Promise<Decision | "expired" | "gone"> {
        const news = await watch.next({ timeoutMs, changesAt });
        if (news !== "changed") return news === "expired" ? "expired" : "gone";
        const next = await decide(claim.subject);
        ({ changesAt } = next.verdict);
        return next;
      },
      report: (loop) => report(loop, visit),
    };
  }
}

/** What the gate reads itself must come and go unpacked. */
function readableHeaders(request: MailRequest): ReadonlyMap<string, string> {
  const headers = new Map(request.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  headers.set("accept-encoding", "identity");
  return headers;
}
