/** One phone that is not simply let through, with the real protocol module and nothing around it: no socket, no store. */
import { createActiveSync } from "../../src/activesync/activesync.ts";
import { createGatewayKeys } from "../../src/activesync/gateway-key.ts";
import type { GatewayKey } from "../../src/activesync/gateway-key.ts";
import type { MailboxView } from "../../src/activesync/mailbox-view.ts";
import { featuresOf } from "../../src/activesync/version.ts";
import type { ProtocolVersion } from "../../src/activesync/version.ts";
import type { CommandName } from "../../src/activesync/commands.ts";
import { decode, encode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { Refusal } from "../../src/gateway/errors.ts";
import type { Claim, Decision, LoopKind, Reply, UpstreamAnswer } from "../../src/gateway/protocol.ts";
import type { Notice } from "../../src/notice/notice.ts";
import { allHeld } from "../../src/policy/held-folders.ts";
import type { HeldFolders } from "../../src/policy/held-folders.ts";
import type { Verdict } from "../../src/policy/verdict.ts";
import { encodeMailboxChange, parseMailbox } from "../../src/store/mailbox-state.ts";
import type { MailboxChange, MailboxState } from "../../src/store/store.ts";
import { everyFolder } from "./activesync-documents.ts";
import { aMailRequest, aRemediation } from "./mail-request.ts";
import { deviceId } from "./records.ts";

export const secret = new Uint8Array(32).fill(7);
export const noon = new Date("2026-11-24T12:00:00.000Z");

export function aNotice(parts: Partial<Notice> = {}): Notice {
  return {
    digest: "first wording",
    language: "en",
    from: { name: "IT", address: "it@b.c" },
    subject: "S",
    text: "TEXT",
    html: "<p>TEXT</p>",
    ...parts,
  };
}

export function aVerdict(action: Verdict["action"]): Verdict {
  return { action, reason: "app-present", state: "non-compliant", findings: [], demands: [], changesAt: undefined };
}

/** What was decided about the phone. `defer`: nothing can be known about it. An allowed phone has something of ours left. */
export function aDecision(
  action: Verdict["action"],
  mailbox: MailboxState,
  { account = "alice", notice = aNotice() }: { readonly account?: string; readonly notice?: Notice } = {},
): Decision {
  return {
    verdict: aVerdict(action),
    device: action === "defer" ? undefined : { id: deviceId("PHONEA"), account, mailbox, whose: "owner" },
    notice: action === "allow" || action === "defer" ? undefined : notice,
    reportedAt: undefined,
    asOf: 0,
    attended: action === "allow",
  };
}

/** A mailbox state as the store would hold it after these changes. */
export function aMailbox(...changes: readonly MailboxChange[]): MailboxState {
  const fields = new Map<string, string>();
  for (const each of changes) apply(fields, each);
  return parseMailbox(fields);
}

function apply(fields: Map<string, string>, change: MailboxChange): void {
  const { set, remove } = encodeMailboxChange(change, fields, noon);
  for (const field of remove) fields.delete(field);
  for (const [field, value] of set) fields.set(field, value);
}

export const foldersKnown: MailboxChange = { folders: { replace: true, set: everyFolder, remove: [] } };

export const keys = createGatewayKeys(secret);

/** A key of ours as the phone of these tests may hold it. */
export function ourKey(collectionId: string, key: Partial<GatewayKey> = {}): string {
  return keys.issue({ account: "alice", device: "PHONEA", collectionId }, { state: 1, touches: 0, ...key });
}

export interface ViewParts {
  readonly version?: ProtocolVersion;
  readonly revision?: number;
  readonly notice?: Notice;
  readonly state?: MailboxState;
}

/** The quarantine mailbox at one moment, for the functions that answer out of it. */
export function aView({ version = "14.1", revision = 1, notice = aNotice(), state }: ViewParts = {}): MailboxView {
  return {
    account: "alice",
    device: "PHONEA",
    state: state ?? aMailbox(foldersKnown),
    keys,
    features: featuresOf(version),
    notice,
    mime: undefined,
    revision: { revision, digest: notice.digest, language: notice.language, at: noon },
    to: "a@b.c",
  };
}

export type Next =
  | "expired"
  | "gone"
  | "released"
  | "deferred"
  | { readonly notice: Notice }
  | { readonly warned: MailboxState };

export interface HeldPhoneOptions {
  /** `none`: the request does not say. */
  readonly version?: ProtocolVersion | "none";
  /** What the gate remembers of the phone before its first request; all folders, unless told. */
  readonly remembered?: readonly MailboxChange[];
  readonly notice?: Notice;
  readonly account?: string;
  /** What becomes of folders without mail: held, unless told. */
  readonly heldFolders?: Partial<HeldFolders>;
  /** What upstream answers to what is forwarded. Nothing may be forwarded unless told. */
  readonly upstream?: (document: Element | undefined) => UpstreamAnswer;
  /** What a request that waits gets to hear, one after the other; then its time is over. */
  readonly news?: readonly Next[];
  /** What upstream says to the credential, where it does not accept it. */
  readonly refusedCredential?: Reply;
}

export interface AskOptions {
  /** Parts of a plain query besides the usual ones. */
  readonly query?: string;
  /** Instead of the usual query. */
  readonly wholeQuery?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly now?: Date;
  /** The phone is allowed again, but is still attended to. */
  readonly allowed?: boolean;
  /** The phone is allowed, and has the notice among its mail. */
  readonly warned?: boolean;
  readonly notice?: Notice;
  readonly news?: readonly Next[];
  /** What upstream says to the credential of this request, where it does not accept it. */
  readonly refusedCredential?: Reply;
}

export interface HeldPhone {
  ask(command: CommandName, body?: Element | Uint8Array, options?: AskOptions): Promise<Reply>;
  /** The same for a command that has no name here. */
  askFor(command: string, body?: Element | Uint8Array, options?: AskOptions): Promise<Reply>;
  claim(command: string, options?: AskOptions): Claim;
  mailbox(): MailboxState;
  /** What the gate writes down besides what the phone asks. */
  forget(change: MailboxChange): void;
  /** Everything that was written down, in order. */
  readonly changes: readonly MailboxChange[];
  /** Every document that went upstream. */
  readonly forwarded: readonly Element[];
  /** Everything that went upstream with another query than it came with. */
  readonly spelledAnew: readonly { readonly query: string; readonly body: Buffer }[];
  /** How long each wait was to last, in milliseconds. */
  readonly waits: readonly number[];
  /** How many bytes were read only to be forgotten: a count for each request. */
  readonly discarded: readonly number[];
  /** What operators were told of. */
  readonly reported: readonly LoopKind[];
}

export function aHeldPhone(options: HeldPhoneOptions = {}): HeldPhone {
  const { version = "14.1", remembered = [foldersKnown], notice = aNotice(), account = "alice" } = options;
  const protocol = createActiveSync({
    secret,
    bodyLimitBytes: 65_536,
    heldFolders: { ...allHeld, ...options.heldFolders },
  });
  const fields = new Map<string, string>();
  for (const each of remembered) apply(fields, each);
  const changes: MailboxChange[] = [];
  const forwarded: Element[] = [];
  const spelledAnew: { query: string; body: Buffer }[] = [];
  const waits: number[] = [];
  const discarded: number[] = [];
  const reported: LoopKind[] = [];

  const decision = (action: Verdict["action"], told: Notice): Decision =>
    aDecision(action, parseMailbox(fields), { account, notice: told });

  function requestOf(command: string, { query = "", wholeQuery, headers = {} }: AskOptions, hasBody: boolean) {
    const person = { account, domain: undefined };
    const named = version === "none" ? {} : { "ms-asprotocolversion": version };
    return aMailRequest({
      method: "POST",
      path: "/Microsoft-Server-ActiveSync",
      query: wholeQuery ?? `Cmd=${command}&User=${account}&DeviceId=PHONEA&DeviceType=Phone${query}`,
      headers: new Map(Object.entries({ ...named, ...headers })),
      credential: { scheme: "basic", person, authorization: "Basic eA==" },
      hasBody,
    });
  }

  async function askFor(command: string, body?: Element | Uint8Array, asked: AskOptions = {}): Promise<Reply> {
    const bytes = body === undefined ? new Uint8Array() : body instanceof Uint8Array ? body : encode(body);
    const request = requestOf(command, asked, bytes.byteLength > 0);
    const told = asked.notice ?? notice;
    const news = [...(asked.news ?? options.news ?? [])];
    const context = aRemediation(request, {
      decision:
        asked.warned === true
          ? { ...decision("allow", told), notice: told }
          : decision(asked.allowed === true ? "allow" : "quarantine", told),
      now: asked.now ?? noon,
      readBody: (limitBytes) =>
        bytes.byteLength > limitBytes
          ? Promise.reject(new Refusal("body-too-large", 413, `body over ${limitBytes} bytes`))
          : Promise.resolve(bytes),
      discardBody(): Promise<void> {
        discarded.push(bytes.byteLength);
        return Promise.resolve();
      },
      proveCredential: () => Promise.resolve(asked.refusedCredential ?? options.refusedCredential),
      remember(change): Promise<void> {
        changes.push(change);
        apply(fields, change);
        return Promise.resolve();
      },
      // As the gate does it: what the scan finds comes back here.
      holdsOurs: command.startsWith("Smart") && protocol.identify(request).scan?.()(bytes) === "ours",
      exchange(body, _limitBytes, query): Promise<UpstreamAnswer> {
        if (query !== undefined) spelledAnew.push({ query, body: Buffer.from(body ?? "") });
        const isDocument = body !== undefined && body[0] === 3;
        const document = isDocument ? decode(body) : undefined;
        if (document !== undefined) forwarded.push(document);
        if (options.upstream === undefined) return Promise.reject(new Error("nothing may be forwarded"));
        const answer = options.upstream;
        return new Promise((resolve) => {
          resolve(answer(document));
        });
      },
      nextDecision(timeoutMs): Promise<Decision | "expired" | "gone"> {
        waits.push(timeoutMs);
        const next = news.shift() ?? "expired";
        if (next === "expired" || next === "gone") return Promise.resolve(next);
        if (next === "released") return Promise.resolve(decision("allow", told));
        if (next === "deferred") return Promise.resolve(decision("defer", told));
        if ("warned" in next) return Promise.resolve({ ...aDecision("allow", next.warned, { account }), notice: told });
        return Promise.resolve(decision("quarantine", next.notice));
      },
      report: (loop) => reported.push(loop),
    });
    return protocol.identify(request).remediate(context);
  }

  return {
    ask: askFor,
    askFor,
    claim: (command, asked = {}) => protocol.identify(requestOf(command, asked, true)),
    mailbox: () => parseMailbox(fields),
    forget: (change) => apply(fields, change),
    changes,
    forwarded,
    spelledAnew,
    waits,
    discarded,
    reported,
  };
}

type Answer = Extract<Reply, { kind: "answer" }>;

export function answerFrom(reply: Reply): Answer {
  if (reply.kind !== "answer") throw new Error("the request was passed on");
  return reply;
}

export function documentFrom(reply: Reply): Element {
  const { httpStatus, body } = answerFrom(reply);
  if (httpStatus !== 200 || body === undefined) throw new Error(`no document, but HTTP status ${httpStatus}`);
  return decode(body);
}

export function hexFrom(reply: Reply): string {
  return Buffer.from(answerFrom(reply).body ?? "").toString("hex");
}

/** HTTP status and Retry-After of an answer without a document. */
export function refusalFrom(reply: Reply): { readonly httpStatus: number; readonly retryAfter: string | undefined } {
  const { httpStatus, headers } = answerFrom(reply);
  return { httpStatus, retryAfter: headers.find(([name]) => name === "Retry-After")?.[1] };
}

export function passedFrom(reply: Reply): Extract<Reply, { kind: "pass" }> {
  if (reply.kind !== "pass") throw new Error("the request was answered here");
  return reply;
}
