/** What may come of a command. A server that says no has answered: that is a value, and only a broken world is an error. */
import type { HttpAnswer } from "./connection.ts";
import type { CommandName } from "./query.ts";

export type Trouble =
  /** HTTP 401: the password or token is not accepted. */
  | { readonly kind: "credentials" }
  /** HTTP 403. */
  | { readonly kind: "forbidden" }
  /** HTTP 451: the mailbox lives elsewhere. The phone does not follow by itself: the password would go along. */
  | { readonly kind: "moved"; readonly location: string | undefined }
  /** HTTP 503 and its relatives: come back later. */
  | { readonly kind: "busy"; readonly httpStatus: number; readonly retryAfterSeconds: number | undefined }
  /** HTTP 449, or a command status that means the same: the server wants its policy to be taken. */
  | { readonly kind: "provisioning" }
  /** The server orders this phone to be erased. */
  | { readonly kind: "wipe" }
  /** Any other HTTP status. */
  | { readonly kind: "http"; readonly httpStatus: number }
  /** The command was understood, and this is what the server thinks of it (MS-ASCMD 2.2.2 and the command's own list). */
  | { readonly kind: "command-status"; readonly command: CommandName; readonly commandStatus: number }
  /** The caller did not want to wait any longer. */
  | { readonly kind: "stopped" };

export type Outcome<Result> = ({ readonly kind: "ok" } & Result) | Trouble;

/** Reads everything but 200. */
export function httpTrouble(answer: HttpAnswer): Trouble {
  switch (answer.httpStatus) {
    case 401:
      return { kind: "credentials" };
    case 403:
      return { kind: "forbidden" };
    case 449:
      return { kind: "provisioning" };
    case 451:
      return { kind: "moved", location: answer.header("x-ms-location") };
    case 429:
    case 502:
    case 503:
    case 504:
      return { kind: "busy", httpStatus: answer.httpStatus, retryAfterSeconds: retryAfter(answer) };
    default:
      return { kind: "http", httpStatus: answer.httpStatus };
  }
}

function retryAfter(answer: HttpAnswer): number | undefined {
  const value = answer.header("retry-after");
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/u.test(value)) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}

/** Whether the same request may succeed later by itself, so that a phone keeps trying. */
export function isTemporary(trouble: Trouble): boolean {
  switch (trouble.kind) {
    case "busy":
      return true;
    case "http":
      return trouble.httpStatus >= 500;
    case "command-status":
      return [5, 6, 8, 11, 12, 16, 110, 111, 133].includes(trouble.commandStatus);
    case "credentials":
    case "forbidden":
    case "moved":
    case "provisioning":
    case "wipe":
    case "stopped":
      return false;
  }
}

/** Trouble that concerns the account and not one folder: nothing else will work either. */
export function concernsAccount(trouble: Trouble): boolean {
  switch (trouble.kind) {
    case "credentials":
    case "forbidden":
    case "moved":
    case "provisioning":
    case "wipe":
    case "busy":
    case "stopped":
      return true;
    case "http":
      return false;
    case "command-status":
      return trouble.commandStatus >= 126 && trouble.commandStatus <= 144;
  }
}
