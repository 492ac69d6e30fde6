/** The one place that answers what went wrong: generic words for the client, code and cause for the log. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { StoreUnavailable } from "../store/store.ts";
import { ClientGone } from "./body.ts";
import { Refusal, UpstreamFailure } from "./errors.ts";
import { comeBackLater, plainAnswer, writeAnswer } from "./reply.ts";

interface Failure {
  readonly code: string;
  readonly httpStatus: number;
  /** Ours, without anything of the client's in it. */
  readonly detail: string | undefined;
  readonly cause: unknown;
}

export interface ErrorWatch {
  refused(failure: Failure, req: IncomingMessage): void;
  failed(failure: Failure, req: IncomingMessage): void;
}

/** Short enough for a phone that was just restarted into an upstream that is restarting too. */
const upstreamAgainSeconds = 30;
const storeAgainSeconds = 60;

export function createAnswerError(
  watch: ErrorWatch,
): (error: unknown, req: IncomingMessage, res: ServerResponse) => void {
  return function answerError(error: unknown, req: IncomingMessage, res: ServerResponse): void {
    if (error instanceof ClientGone) {
      res.destroy();
    } else if (error instanceof Refusal) {
      watch.refused({ code: error.code, httpStatus: error.httpStatus, detail: error.message, cause: undefined }, req);
      // After any doubt about what a connection carries, nothing more is read from it.
      if (!res.headersSent) res.setHeader("Connection", "close");
      const { httpStatus, retryAfterSeconds } = error;
      writeAnswer(
        res,
        retryAfterSeconds === undefined
          ? plainAnswer(httpStatus, refusalText(httpStatus))
          : comeBackLater(retryAfterSeconds),
      );
    } else if (error instanceof UpstreamFailure) {
      watch.failed({ code: error.code, httpStatus: 503, detail: undefined, cause: error.cause }, req);
      writeAnswer(res, comeBackLater(upstreamAgainSeconds));
    } else if (error instanceof StoreUnavailable) {
      watch.failed({ code: error.code, httpStatus: 503, detail: undefined, cause: error.cause }, req);
      writeAnswer(res, comeBackLater(storeAgainSeconds));
    } else {
      // 503, not 500: to a mail client 500 means that the account is set up wrongly (MS-ASHTTP 3.1.5.2.1).
      watch.failed({ code: "unexpected", httpStatus: 503, detail: undefined, cause: error }, req);
      writeAnswer(res, comeBackLater(storeAgainSeconds));
    }
  };
}

function refusalText(httpStatus: number): string {
  if (httpStatus === 404) return "Not found.";
  if (httpStatus === 501) return "Not implemented.";
  return "The request cannot be accepted.";
}
