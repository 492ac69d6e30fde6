/** Everything that can go wrong with the phone, by name. */
export type PhoneErrorCode =
  /** What the phone was told about itself contradicts itself. */
  | "options"
  /** Nobody listens there, or there is no way there. */
  | "unreachable"
  | "timeout"
  /** The connection ended in the middle of an answer. */
  | "connection-lost"
  /** The certificate of the server is not good, or TLS failed otherwise. */
  | "tls"
  | "answer-too-large"
  /** The answer is not what the protocol allows at this place. */
  | "answer-unreadable"
  /** The server sends the phone in circles; it stops, as a real one does after emptying its battery. */
  | "sync-loop"
  | "no-such-folder"
  | "no-such-item"
  /** The state file cannot be read, or belongs to another phone. */
  | "state";

/** Something is broken or misused. What a server may rightly answer is a value instead: see outcome.ts. */
export class PhoneError extends Error {
  readonly code: PhoneErrorCode;
  constructor(code: PhoneErrorCode, detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = "PhoneError";
    this.code = code;
  }
}
