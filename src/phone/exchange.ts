/** One command and its answer: the request as this phone spells it, the answer as far as every command shares it. */
import type { Element } from "../activesync/wbxml.ts";
import { decode, encode, WbxmlError } from "../activesync/wbxml.ts";
import type { Connection, HttpAnswer } from "./connection.ts";
import { dialectOf, type Dialect, type ProtocolVersion } from "./dialect.ts";
import { PhoneError } from "./errors.ts";
import { keysOf, statusesIn, type Journal, type JournalEntry } from "./journal.ts";
import { httpTrouble, type Outcome, type Trouble } from "./outcome.ts";
import { base64Query, localeOf, plainQuery, type CommandName, type QueryParameters } from "./query.ts";
import type { PhoneState } from "./state.ts";

/** Who the phone says it is. */
export interface Identity {
  readonly user: string;
  readonly authorization: string;
  readonly deviceId: string;
  /** The id as bytes, where the phone packs it as Windows phones do. */
  readonly packedDeviceId: string | Uint8Array;
  readonly deviceType: string;
  readonly userAgent: string;
  readonly acceptLanguage: string | undefined;
  readonly queryForm: "plain" | "base64";
  /** Undefined: the newest that both sides speak, once OPTIONS was asked. */
  readonly version: ProtocolVersion | undefined;
  readonly echoCookies: boolean;
}

export interface CommandRequest<Answer> {
  readonly command: CommandName;
  readonly body: Element | undefined;
  /** Sent instead of a document: a mail as it is, up to 12.1. */
  readonly message?: Buffer;
  readonly parameters?: QueryParameters;
  read(root: Element): Answer;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export type CommandAnswer<Answer> =
  | { readonly kind: "answer"; readonly value: Answer; readonly root: Element }
  /** HTTP 200 without a body: success for SendMail, no change for Sync. */
  | { readonly kind: "empty" }
  | Trouble;

export interface ServerAbilities {
  readonly versions: readonly string[];
  readonly commands: readonly string[];
}

export interface Exchange {
  readonly identity: Identity;
  readonly state: PhoneState;
  dialect(): Dialect;
  /** @throws PhoneError */
  ask<Answer>(request: CommandRequest<Answer>): Promise<CommandAnswer<Answer>>;
  askAbilities(): Promise<Outcome<ServerAbilities>>;
}

export interface ExchangeParts {
  readonly identity: Identity;
  readonly connection: Connection;
  readonly state: PhoneState;
  readonly journal: Journal;
  readonly requestTimeoutMs: number;
}

/** What browsers keep per site at least (RFC 6265 6.1). */
const cookiesKept = 50;
const fallbackVersion: ProtocolVersion = "14.1";

export function createExchange(parts: ExchangeParts): Exchange {
  const { identity, connection, state, journal, requestTimeoutMs } = parts;
  const dialect = (): Dialect => dialectOf(identity.version ?? state.version ?? fallbackVersion);

  /** Records the request whatever becomes of it. Undefined where the caller has ended it. */
  async function send(
    command: JournalEntry["command"],
    sent: Element | undefined,
    attempt: () => Promise<HttpAnswer | undefined>,
  ) {
    const blank = { command, httpStatus: 0, empty: false, statuses: [], keys: [], failure: undefined };
    try {
      const answer = await attempt();
      if (answer === undefined) {
        journal.add({ ...blank, keys: keysOf(sent, undefined), failure: "stopped" });
        return undefined;
      }
      keepCookies(answer);
      const empty = answer.httpStatus === 200 && answer.body.length === 0;
      const root = answer.httpStatus === 200 && !empty && command !== "OPTIONS" ? decode(answer.body) : undefined;
      const statuses = root === undefined ? [] : statusesIn(root);
      journal.add({ ...blank, httpStatus: answer.httpStatus, empty, statuses, keys: keysOf(sent, root) });
      return { answer, root };
    } catch (cause) {
      const error = readable(cause);
      journal.add({ ...blank, keys: keysOf(sent, undefined), failure: error.code });
      throw error;
    }
  }

  function keepCookies(answer: HttpAnswer): void {
    for (const cookie of answer.cookies) {
      const [name, value] = /^\s*([^=;\s]+)=([^;]*)/u.exec(cookie)?.slice(1) ?? [];
      if (name === undefined || value === undefined) continue;
      if (name in state.cookies || Object.keys(state.cookies).length < cookiesKept) state.cookies[name] = value;
    }
  }

  function query(request: CommandRequest<unknown>): string {
    const { user, deviceId, deviceType } = identity;
    const parameters = request.parameters ?? {};
    if (identity.queryForm === "plain") {
      return plainQuery({ command: request.command, user, deviceId, deviceType, parameters });
    }
    return base64Query({
      version: dialect().version,
      command: request.command,
      locale: localeOf(identity.acceptLanguage),
      deviceId: identity.packedDeviceId,
      policyKey: state.policyKey === "0" || request.command === "Ping" ? undefined : Number(state.policyKey) >>> 0,
      deviceType,
      parameters,
    });
  }

  function headers(request: CommandRequest<unknown>): Record<string, string> {
    const all = commonHeaders();
    if (identity.queryForm === "plain") {
      all["MS-ASProtocolVersion"] = dialect().version;
      // MS-ASPROV 3.1.5.1: on every command except Ping and OPTIONS. The base64 form carries both in the query.
      if (request.command !== "Ping") all["X-MS-PolicyKey"] = state.policyKey;
    }
    if (request.message !== undefined) all["Content-Type"] = "message/rfc822";
    else if (request.body !== undefined) all["Content-Type"] = "application/vnd.ms-sync.wbxml";
    return all;
  }

  function commonHeaders(): Record<string, string> {
    const all: Record<string, string> = {
      Authorization: identity.authorization,
      "User-Agent": identity.userAgent,
      "Accept-Encoding": "gzip",
    };
    if (identity.acceptLanguage !== undefined) all["Accept-Language"] = identity.acceptLanguage;
    const cookies = Object.entries(state.cookies).map(([name, value]) => `${name}=${value}`);
    // MS-ASHTTP 2.2.1.1.2.4: clients echo cookies from 16.0, and with tokens.
    if (cookies.length > 0 && (identity.echoCookies || dialect().sixteen)) all["Cookie"] = cookies.join("; ");
    return all;
  }

  return {
    identity,
    state,
    dialect,
    async ask(request) {
      const body = request.message ?? (request.body === undefined ? undefined : encode(request.body));
      const sent = await send(request.command, request.body, () =>
        connection.send({
          method: "POST",
          query: query(request),
          headers: headers(request),
          body,
          timeoutMs: request.timeoutMs ?? requestTimeoutMs,
          signal: request.signal,
        }),
      );
      if (sent === undefined) return { kind: "stopped" };
      const { answer, root } = sent;
      if (answer.httpStatus !== 200) return httpTrouble(answer);
      if (root === undefined) return { kind: "empty" };
      try {
        return { kind: "answer", value: request.read(root), root };
      } catch (cause) {
        throw readable(cause);
      }
    },
    async askAbilities() {
      const sent = await send("OPTIONS", undefined, () =>
        connection.send({
          method: "OPTIONS",
          query: undefined,
          headers: commonHeaders(),
          body: undefined,
          timeoutMs: requestTimeoutMs,
          signal: undefined,
        }),
      );
      if (sent === undefined) return { kind: "stopped" };
      if (sent.answer.httpStatus !== 200) return httpTrouble(sent.answer);
      const list = (name: string): string[] => (sent.answer.header(name) ?? "").split(",").map((each) => each.trim());
      return { kind: "ok", versions: list("ms-asprotocolversions"), commands: list("ms-asprotocolcommands") };
    },
  };
}

function readable(cause: unknown): PhoneError {
  if (cause instanceof PhoneError) return cause;
  if (cause instanceof WbxmlError)
    return new PhoneError("answer-unreadable", `the answer cannot be read: ${cause.code}`, cause);
  return new PhoneError("answer-unreadable", "the answer cannot be read", cause);
}
