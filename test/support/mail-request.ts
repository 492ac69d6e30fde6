/** Builders for what a protocol module is given: a test names what matters to it, everything else is ordinary. */
import type { Decision, MailRequest, Remediation, Reply, UpstreamAnswer } from "../../src/gateway/protocol.ts";

export function aMailRequest(parts: Partial<MailRequest> = {}): MailRequest {
  return {
    id: "00000000-0000-4000-8000-000000000000",
    method: "GET",
    path: "/owa",
    query: undefined,
    headers: new Map(),
    credential: { scheme: "none", person: undefined, authorization: undefined },
    clientAddress: "192.0.2.1",
    hasBody: false,
    ...parts,
  };
}

export function withHeaders(headers: Readonly<Record<string, string>>): Pick<MailRequest, "headers"> {
  return { headers: new Map(Object.entries(headers)) };
}

export function anAnswer(parts: {
  readonly httpStatus?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}): UpstreamAnswer {
  const headers = new Map(Object.entries(parts.headers ?? {}).map(([name, value]) => [name, [value]]));
  return { httpStatus: parts.httpStatus ?? 200, headers, body: Buffer.from(parts.body ?? "") };
}

const heldBack: Decision = {
  verdict: {
    action: "quarantine",
    state: "unknown",
    reason: "browser-phone",
    findings: [],
    demands: [],
    changesAt: undefined,
  },
  device: undefined,
  notice: undefined,
  attended: false,
  reportedAt: undefined,
  asOf: 0,
};

/** A remediation in which whatever a test did not name must not happen. */
export function aRemediation(request: MailRequest, parts: Partial<Remediation> = {}): Remediation {
  const unexpected = (): never => {
    throw new Error("not expected to be called");
  };
  return {
    request,
    decision: heldBack,
    holdsOurs: false,
    now: new Date("2026-11-24T12:00:00Z"),
    readBody: unexpected,
    discardBody: () => Promise.resolve(),
    exchange: unexpected,
    proveCredential: unexpected,
    remember: unexpected,
    nextDecision: unexpected,
    report: unexpected,
    ...parts,
  };
}

export function answerOf(reply: Reply): {
  readonly httpStatus: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
} {
  if (reply.kind !== "answer") throw new Error("the request was passed on");
  const headers = new Map(reply.headers.map(([name, value]) => [name.toLowerCase(), value]));
  return { httpStatus: reply.httpStatus, headers, text: Buffer.from(reply.body ?? "").toString() };
}
