/**
 * The whole life of a request: accept it, identify who asks, decide, then let it pass or remediate it.
 * Every step is a function of its own; this file is the order in which they are called.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Accept, Accepted } from "./accept.ts";
import type { Decide } from "./decide.ts";
import type { Passage } from "./pass.ts";
import type { Claim, Decision } from "./protocol.ts";
import type { Taken } from "./screen.ts";

/** One request on its way through the gate, with all that is known about it. */
export interface Visit {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly accepted: Accepted;
  readonly claim: Claim;
  readonly decision: Decision;
  /** Where the beginning of the body has been read already. */
  readonly taken?: Taken;
}

export interface GatewaySteps {
  readonly accept: Accept;
  readonly identify: (accepted: Accepted) => Claim;
  readonly decide: Decide;
  readonly record: (visit: Visit, decisionMs: number) => void;
  readonly pass: (visit: Visit) => Promise<Passage>;
  readonly remediate: (visit: Visit) => Promise<void>;
  /** The one place that answers what went wrong. Never throws. */
  readonly answerError: (error: unknown, req: IncomingMessage, res: ServerResponse) => void;
}

export type Gateway = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

export function createGateway({
  accept,
  identify,
  decide,
  record,
  pass,
  remediate,
  answerError,
}: GatewaySteps): Gateway {
  return async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      const started = performance.now();
      const accepted = accept(req);
      const claim = identify(accepted);
      const decision = await decide(claim.subject);
      const visit: Visit = { req, res, accepted, claim, decision };
      record(visit, performance.now() - started);

      if (decision.verdict.action !== "allow" || decision.attended) return await remediate(visit);
      const passage = await pass(visit);
      if (passage.kind === "passed") return;
      return await remediate({ ...visit, taken: passage.taken, decision: { ...decision, attended: true } });
    } catch (error) {
      answerError(error, req, res);
    }
  };
}
