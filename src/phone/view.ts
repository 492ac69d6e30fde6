/** What a person sees of the phone, as plain data: the terminal prints it, `--json` writes it as it is. */
import { PhoneError } from "./errors.ts";
import type { InboxMessage } from "./lists.ts";
import { describePending } from "./mailbox.ts";
import type { Trouble } from "./outcome.ts";
import type { Phone } from "./phone.ts";
import type { Loss } from "./state.ts";

export interface ConnectionView {
  /** `mail`: everything was fetched. `offline`: there was no answer that could be used. The others are in outcome.ts. */
  readonly kind: "mail" | "offline" | Trouble["kind"];
  readonly tone: "good" | "notice" | "bad";
  readonly words: string;
  readonly retryAfterSeconds?: number;
}

export interface PhoneView {
  readonly device: { readonly id: string; readonly type: string };
  readonly user: string;
  readonly server: string;
  readonly version: string;
  readonly at: string;
  readonly connection: ConnectionView;
  readonly inbox: readonly InboxMessage[];
  /** All mail on the phone, the inbox included. */
  readonly messages: number;
  readonly outbox: readonly {
    readonly to: string;
    readonly subject: string;
    readonly queuedAt: string;
    readonly attempts: number;
  }[];
  /** What else was done on the phone and is not acknowledged. */
  readonly pending: readonly string[];
  readonly losses: readonly Loss[];
}

export interface PhoneFrame {
  readonly user: string;
  readonly deviceId: string;
  readonly deviceType: string;
  readonly server: string;
  readonly now: Date;
}

/** `result` is what the last attempt to fetch mail came to. */
export function viewOf(
  phone: Phone,
  frame: PhoneFrame,
  result: { readonly kind: "ok" } | Trouble | PhoneError,
): PhoneView {
  const inbox = phone.inbox();
  const messages = phone.folders().reduce((sum, folder) => sum + (folder.class === "Email" ? folder.items : 0), 0);
  return {
    device: { id: frame.deviceId, type: frame.deviceType },
    user: frame.user,
    server: frame.server,
    version: phone.version(),
    at: frame.now.toISOString(),
    connection: connectionView(result, inbox, messages),
    inbox,
    messages,
    outbox: phone.outbox().map(({ to, subject, queuedAt, attempts }) => ({ to, subject, queuedAt, attempts })),
    pending: phone.pending().map((entry) => describePending(entry)),
    losses: phone.losses(),
  };
}

function connectionView(
  result: { readonly kind: "ok" } | Trouble | PhoneError,
  inbox: readonly InboxMessage[],
  messages: number,
): ConnectionView {
  if (result instanceof PhoneError) return { kind: "offline", tone: "bad", words: wordsForError(result) };
  if (result.kind !== "ok") return troubleView(result);
  const [only] = inbox;
  if (messages === 0) return { kind: "mail", tone: "good", words: "This mailbox is empty." };
  // The phone knows nothing of gates. One message and nothing else is what it sees, and what it says.
  if (messages === 1 && only !== undefined) {
    const sender = only.from.name === "" ? only.from.address : only.from.name;
    return {
      kind: "mail",
      tone: "notice",
      words: `This mailbox holds one message, from ${sender === "" ? "nobody" : sender}.`,
    };
  }
  return { kind: "mail", tone: "good", words: "Mail flows." };
}

export function troubleView(trouble: Trouble): ConnectionView {
  const bad = (words: string): ConnectionView => ({ kind: trouble.kind, tone: "bad", words });
  switch (trouble.kind) {
    case "credentials":
      return bad("The server does not accept this password.");
    case "forbidden":
      return bad("The server does not let this account use a phone (HTTP 403).");
    case "moved":
      return bad(`The mailbox lives elsewhere: ${trouble.location ?? "the server does not say where"}.`);
    case "busy": {
      const wait = trouble.retryAfterSeconds;
      const words = `The server asks to come back later (HTTP ${trouble.httpStatus})${wait === undefined ? "" : `, in ${span(wait)}`}.`;
      return { ...bad(words), ...(wait === undefined ? {} : { retryAfterSeconds: wait }) };
    }
    case "provisioning":
      return bad("The server wants its policy to be taken, again and again.");
    case "wipe":
      return bad("The server orders this phone to be erased. Nothing was erased, and nothing was acknowledged.");
    case "http":
      return bad(`The server failed (HTTP ${trouble.httpStatus}).`);
    case "command-status":
      return bad(
        `The server refuses ${trouble.command} (status ${trouble.commandStatus}${meaning(trouble.commandStatus)}).`,
      );
    case "stopped":
      return { kind: "stopped", tone: "notice", words: "Stopped." };
  }
}

/** The common ones of MS-ASCMD 2.2.2 that a person can do something about. */
function meaning(status: number): string {
  switch (status) {
    case 110:
    case 111:
      return ": the server has a problem of its own";
    case 126:
    case 131:
      return ": this account may not use a phone";
    case 129:
    case 130:
      return ": this phone is not let in";
    case 141:
      return ": this phone is too old for the policy";
    case 177:
      return ": this account has too many phones";
    default:
      return "";
  }
}

function wordsForError(error: PhoneError): string {
  switch (error.code) {
    case "unreachable":
    case "connection-lost":
      return "The server cannot be reached.";
    case "timeout":
      return "The server does not answer.";
    case "tls":
      return "The certificate of the server is not trusted.";
    case "answer-too-large":
    case "answer-unreadable":
      return `What answers there is no mail server that this phone understands: ${error.message}.`;
    case "sync-loop":
      return `The server leads the phone in circles: ${error.message}.`;
    case "options":
    case "no-such-folder":
    case "no-such-item":
    case "state":
      return error.message;
  }
}

function span(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
