/**
 * The port between the gate and the ways of reaching a mailbox. A protocol module is plain data in, plain data out: it
 * never sees a socket, an Express type or the store, so a test calls it as a function.
 */
import type { DeviceId } from "../policy/device.ts";
import type { MailProgram } from "../policy/mail-program.ts";
import type { Person } from "../policy/person.ts";
import type { Verdict } from "../policy/verdict.ts";
import type { Notice } from "../notice/notice.ts";
import type { LastRequest, MailboxChange, MailboxState } from "../store/store.ts";

export type ProtocolName = "activesync" | "browser" | "ews" | "autodiscover";

/** A request whose head has been accepted: one reading, and that reading is what is forwarded. */
export interface MailRequest {
  /** Ours, never the client's: ties log lines of one request together. */
  readonly id: string;
  readonly method: string;
  /** Canonical: what was matched and what is forwarded. */
  readonly path: string;
  /** Without the "?"; exactly one reading by the protocol of the route; undefined where the target had none. */
  readonly query: string | undefined;
  /** Lower-case names, one value each, only what may go upstream. */
  readonly headers: ReadonlyMap<string, string>;
  readonly credential: Credential;
  readonly clientAddress: string;
  /** Whether a body was announced (Content-Length above 0, or chunked). */
  readonly hasBody: boolean;
}

/** What the one Authorization header says. Nothing here is verified: the mail server does that. */
export interface Credential {
  readonly scheme: "none" | "basic" | "bearer" | "connection" | "other";
  readonly person: Person | undefined;
  /** The header as it came, for proving it upstream. Never logged. */
  readonly authorization: string | undefined;
}

/** Who asks, as far as the request says so. */
export type Subject =
  /** A phone with an ActiveSync device id, in all its spellings, most trusted first. */
  | {
      readonly kind: "device";
      readonly candidates: readonly [DeviceId, ...DeviceId[]];
      readonly person: Person | undefined;
      /** What the request asks for, in the form of an Accept-Language. */ readonly locale: string | undefined;
    }
  /** A browser, which has no device id. */
  | { readonly kind: "browser"; readonly looksLike: "laptop" | "phone" }
  /** A mail program on EWS, which has no device id either. */
  | { readonly kind: "mail-program"; readonly program: MailProgram; readonly person: Person | undefined }
  /** A request that names no device and can carry no mail: OPTIONS, Autodiscover. */
  | { readonly kind: "nobody" };

/** What a protocol module makes of one accepted request. */
export interface Claim {
  readonly subject: Subject;
  /** The command, for logs and metrics: a word from a closed list of the protocol. */
  readonly command: string;
  /** How a phone said it, for whoever is asked why. Nothing is judged by it. */
  readonly asked?: {
    readonly queryForm: "plain" | "base64";
    readonly version: string | undefined;
    readonly deviceType: string | undefined;
  };
  /** The query as the gate spells it: this is what is forwarded. */
  readonly forwardQuery: string | undefined;
  /** Whether the request may wait for news (Ping, a waiting Sync): it is then kept out of latency figures, and can be cut. */
  readonly mayPark: boolean;
  /** Answers for a device that is not let through, or that is still coming back from quarantine. */
  remediate(context: Remediation): Promise<Reply>;
  /** A scan for the body of this request. Undefined where upstream alone reads it. */
  readonly scan?: (() => Scan) | undefined;
  /**
   * The exact answer that ends this request when a new decision is made while upstream holds it. Undefined where it should be
   * left to go on. `body` is undefined where it was not kept.
   */
  readonly interrupt?: ((body: Uint8Array | undefined, next: Decision, now: Date) => Reply | undefined) | undefined;
  /**
   * Set where the gate learns from what passes. Called after an answer has passed untouched, or with `answer` undefined when
   * the request was ended by `interrupt`.
   */
  readonly learn?:
    | ((request: Uint8Array, answer: UpstreamAnswer | undefined, mailbox: MailboxState) => MailboxChange | undefined)
    | undefined;
  /**
   * Set where upstream's answer names hosts that a client must not use: the answer is then read whole, and what this
   * returns is sent instead. Upstream is asked for `identity`, so that there is text to read. Pure.
   * @throws UpstreamFailure `upstream-answer-refused` where the answer cannot be read in exactly one way.
   */
  readonly rewrite?: ((answer: UpstreamAnswer, request: MailRequest) => UpstreamAnswer) | undefined;
}

/**
 * Looks at one body, unpacked, piece by piece, each before it goes upstream. `ours`: a key or an item that only the gate
 * understands is complete in this piece, which must not go on.
 * @throws Refusal where the body is not what the rest of the request says.
 */
export type Scan = (piece: Uint8Array) => "clean" | "ours";

export interface Protocol {
  readonly name: ProtocolName;
  /** @throws Refusal where the request can be read in more than one way. */
  identify(request: MailRequest): Claim;
  /** Undefined: OPTIONS on the path of the route. */
  readonly probe?: CredentialProbe | undefined;
}

/** A POST that shows whether upstream accepts the credential of a request, and brings no mail with it. */
export interface CredentialProbe {
  /** OPTIONS on the path of the route comes first, and is enough where upstream refuses it to those it does not know. */
  readonly afterOptions: boolean;
  /** Where the answer to this request is looked for: canonical path and query. */
  readonly target: (request: MailRequest) => string;
  /** Lower-case names; they stand instead of the client's own. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** Whether only somebody whom upstream knows gets this answer. */
  readonly proves: (answer: UpstreamAnswer) => boolean;
}

/** Everything about the decision that an answer may depend on. */
export interface Decision {
  readonly verdict: Verdict;
  /** Undefined for a subject without a device id. */
  readonly device:
    | {
        readonly id: DeviceId;
        readonly account: string;
        readonly mailbox: MailboxState;
        /** By the record alone, whatever excuses whom. */
        readonly whose: LastRequest["whose"];
      }
    | undefined;
  /** What the person is told; undefined while nothing is held against the device. */
  readonly notice: Notice | undefined;
  /** When the phone last reported to its source; undefined where no report is known. */
  readonly reportedAt: Date | undefined;
  /** How many changes the store had told of before the facts were read. */
  readonly asOf: number;
  /**
   * The device is allowed, but what it asks is read first: it may hold keys that only the gate understands, or has a notice
   * among its mail.
   */
  readonly attended: boolean;
}

/** What a protocol module may do while it remediates. */
export interface Remediation {
  readonly request: MailRequest;
  readonly decision: Decision;
  readonly now: Date;
  /** Whether the scan of the body has found what only the gate understands. */
  readonly holdsOurs: boolean;
  /** @throws Refusal `body-too-large` past the limit. */
  readBody(limitBytes: number): Promise<Uint8Array>;
  /** Reads the body to its end and forgets it: a client that is answered early sees a reset connection instead. */
  discardBody(limitBytes: number): Promise<void>;
  /**
   * Sends this request upstream with a body of our own encoding and returns the whole answer.
   * @param query instead of the one that is forwarded. @throws UpstreamFailure
   */
  exchange(body: Uint8Array | undefined, limitBytes: number, query?: string): Promise<UpstreamAnswer>;
  /**
   * Asks upstream whether the client's own credential is good, before anything about a device is said.
   * `undefined`: it is. Otherwise the answer to relay.
   */
  proveCredential(): Promise<Reply | undefined>;
  /** Writes to the device's mailbox state, before the answer that depends on it is given. */
  remember(change: MailboxChange): Promise<void>;
  /** Waits for a new decision about this device, at most so long. `gone`: the client has left. */
  nextDecision(timeoutMs: number): Promise<Decision | "expired" | "gone">;
  /** Tells operators that this phone went in circles and was stopped. */
  report(loop: LoopKind): void;
}

/** How a phone can go in circles, by name: for the log and for a metric. */
export type LoopKind =
  /** It comes back with a key of a folder that was refused. */
  | "sync-key-refused"
  /** It repeats a request that nobody remembers, and does not say it in full. */
  | "sync-incomplete"
  /** It uploads again at once what cannot be taken now. */
  | "upload-refused"
  /** It starts one folder anew, again and again. */
  | "folder-restarted"
  /** It comes back with a key of the list of folders that was refused. */
  | "folders-refused"
  /** It asks to wait in a way in which nobody can wait, again at once. */
  | "ping-refused"
  /** It is told that there is something to fetch, and does not fetch it. */
  | "ping-in-vain";

export interface UpstreamAnswer {
  readonly httpStatus: number;
  /** What stands behind the number in upstream's own words. */
  readonly reason?: string | undefined;
  /** Lower-case names; hop-by-hop headers are already gone. Several values only for Set-Cookie and WWW-Authenticate. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** As it came: still encoded where Content-Encoding says so. */
  readonly body: Uint8Array;
}

export type Reply =
  | {
      readonly kind: "answer";
      readonly httpStatus: number;
      readonly headers: readonly (readonly [name: string, value: string])[];
      readonly body: Uint8Array | undefined;
      /** Upstream's own answer, which goes down as if it had passed. `reason`: what stands behind the number. */
      readonly untouched?: { readonly reason: string | undefined };
    }
  /** Let it go upstream after all, with this body; the answer is streamed back. Only for a device that is allowed. */
  | {
      readonly kind: "pass";
      readonly body: Uint8Array | undefined;
      /** Written to the mailbox state once upstream has answered 200, before anything of its answer goes down. */
      readonly whenAnswered?: MailboxChange;
    };
