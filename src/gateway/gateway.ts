/**
 * The whole life of a request: accept it, identify who asks, decide, then let it pass or remediate it. What is asked of the gate itself
 * never comes that far.
 * Every step is a function of its own; this file is the order in which they are called.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Accept, Accepted, Arrive } from "./accept.ts";
import type { Decide } from "./decide.ts";
import type { OwnPages } from "./own-pages.ts";
import type { Passage } from "./pass.ts";
import type { Arrival } from "./places.ts";
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
  readonly arrive: Arrive;
  /** The gate's own pages for people, which are answered here and need no credential. */
  readonly ownPages: OwnPages;
  readonly accept: Accept;
  readonly identify: (accepted: Accepted) => Claim;
  /** Gives the request one of the places that its client may have. @throws Refusal */
  readonly takePlace: (arrival: Arrival) => void;
  readonly decide: Decide;
  /** Answers nobody who tries one device id after the other. @throws Refusal */
  readonly checkDevice: (claim: Claim, decision: Decision) => void;
  readonly record: (visit: Visit, decisionMs: number) => void;
  readonly pass: (visit: Visit) => Promise<Passage>;
  readonly remediate: (visit: Visit) => Promise<void>;
  /** The one place that answers what went wrong. Never throws. */
  readonly answerError: (error: unknown, req: IncomingMessage, res: ServerResponse) => void;
}

export type Gateway = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

export function createGateway({
  arrive,
  ownPages,
  accept,
  identify,
  takePlace,
  decide,
  checkDevice,
  record,
  pass,
  remediate,
  answerError,
}: GatewaySteps): Gateway {
  return async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      const started = performance.now();
      const arrived = arrive(req);
      if (ownPages.has(arrived.target)) return await ownPages.answer(arrived, req, res);
      const accepted = accept(arrived, req);
      const claim = identify(accepted);
      takePlace({ req, res, accepted, claim });
      const decision = await decide(claim.subject);
      checkDevice(claim, decision);
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
