/** Takes letters to the mail server by SMTP (RFC 5321), not faster than it was told to. */
import { createTransport } from "nodemailer";

export interface OutgoingLetter {
  readonly to: string;
  readonly from: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly text: string;
  readonly html: string | undefined;
  readonly language: string;
  /** By what it is known again when it comes back: characters that an ENVID and a Message-ID may have as they are. */
  readonly envelopeId: string;
}

type Delivery =
  | { readonly kind: "sent" }
  /** The server will not have it (5xx): trying again does not help. */
  | { readonly kind: "refused"; readonly detail: string }
  /** The server has certainly not taken it. `isAway`: and would take no other either, as far as this one tells. */
  | { readonly kind: "postponed"; readonly detail: string; readonly isAway: boolean }
  /** Nobody knows whether the server has taken it. */
  | { readonly kind: "unknown"; readonly detail: string };

export interface Courier {
  deliver(letter: OutgoingLetter): Promise<Delivery>;
  /** Whether the mail server answers and lets us in; the problem otherwise. */
  check(): Promise<string | undefined>;
  close(): void;
}

export interface CourierOptions {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; otherwise STARTTLS where the server offers it. */
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly perMinute: number;
}

const connectTimeoutMs = 10_000;
const answerTimeoutMs = 60_000;
/** Enough for the rate, and what mail servers allow one client at once. */
const CONNECTIONS_LIMIT = 3;
/** Mail servers end a connection that says too much. */
const LETTERS_PER_CONNECTION_LIMIT = 100;
const minuteMs = 60_000;

export function createCourier({ host, port, tls, username, password, perMinute }: CourierOptions): Courier {
  const transport = createTransport({
    pool: true,
    host,
    port,
    secure: tls,
    ...(username === undefined ? {} : { auth: { user: username, pass: password ?? "" } }),
    maxConnections: CONNECTIONS_LIMIT,
    maxMessages: LETTERS_PER_CONNECTION_LIMIT,
    connectionTimeout: connectTimeoutMs,
    greetingTimeout: connectTimeoutMs,
    socketTimeout: answerTimeoutMs,
    // What is said to the mail server is people's business.
    logger: false,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  let freeAt = 0;

  /** One after the other, evenly: a burst at the beginning of each minute would be what filters look for. */
  async function turn(): Promise<void> {
    const now = performance.now();
    freeAt = Math.max(now, freeAt) + minuteMs / perMinute;
    const waitMs = freeAt - minuteMs / perMinute - now;
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  }

  return {
    async deliver(letter): Promise<Delivery> {
      await turn();
      const { to, from, subject, text, html, language, envelopeId } = letter;
      try {
        await transport.sendMail({
          to,
          from,
          subject,
          text,
          ...(html === undefined ? {} : { html }),
          messageId: `<${envelopeId}@${from.address.split("@").at(-1) ?? "postern.invalid"}>`,
          // RFC 3461, where the server offers it: what comes back names the letter, and nothing comes back but that it failed.
          dsn: { envid: envelopeId, return: "headers", notify: "failure" },
          // RFC 3834: nobody's absence message answers it.
          headers: {
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            "Content-Language": language,
          },
          // One letter, one person: never a list of addresses out of a record.
          envelope: { from: from.address, to: [to] },
        });
        return { kind: "sent" };
      } catch (error) {
        return failureOf(error);
      }
    },
    async check(): Promise<string | undefined> {
      try {
        await transport.verify();
        return undefined;
      } catch (error) {
        return detailOf(error);
      }
    },
    close: () => transport.close(),
  };
}

const greetings = /^(?:CONN|EHLO|HELO|LHLO|STARTTLS|AUTH)/;

/** Errors of nodemailer carry the server's answer, or how far the connection had come. */
function failureOf(error: unknown): Delivery {
  const detail = detailOf(error);
  const answer = fieldOf(error, "responseCode");
  const command = fieldOf(error, "command");
  const code = fieldOf(error, "code");
  // RFC 5321, section 3.8: 421 ends the connection, whatever it answers. Before MAIL nothing has been said of a letter yet, so
  // that even a 5xx there is no refusal of one: a password that has expired must not cost anybody a letter.
  const isOfConnection = answer === 421 || code === "EAUTH" || (typeof command === "string" && greetings.test(command));
  if (typeof answer === "number" && isOfConnection) return { kind: "postponed", detail, isAway: true };
  if (typeof answer === "number")
    return answer >= 500 ? { kind: "refused", detail } : { kind: "postponed", detail, isAway: false };
  // Before a message is sent there is a connection to be made; what fails later may have failed behind the last byte.
  const isBefore =
    code === "ECONNECTION" || code === "EDNS" || code === "EAUTH" || code === "ETLS" || code === "ECONNREFUSED";
  if (isBefore || command === "CONN") return { kind: "postponed", detail, isAway: true };
  return code === "EENVELOPE" || code === "EMESSAGE" ? { kind: "refused", detail } : { kind: "unknown", detail };
}

function detailOf(error: unknown): string {
  const response = fieldOf(error, "response");
  if (typeof response === "string") return response;
  return error instanceof Error ? error.message : "unknown";
}

function fieldOf(error: unknown, field: "response" | "responseCode" | "code" | "command"): unknown {
  if (typeof error !== "object" || error === null) return undefined;
  return Object.entries(error).find(([name]) => name === field)?.[1];
}
