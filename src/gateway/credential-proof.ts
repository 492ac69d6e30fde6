/**
 * Before anything about a device is said, the mail server must have accepted the credential that asks. Otherwise anybody
 * could read a notice, and an expired password would stay hidden behind it.
 */
import { createHmac, randomBytes } from "node:crypto";
import type { Agent } from "node:http";
import type { Person } from "../policy/person.ts";
import type { Credential, CredentialProbe, MailRequest, Reply, UpstreamAnswer } from "./protocol.ts";
import { createProvenCredentials } from "./proven-credentials.ts";
import { comeBackLater, relayUntouched } from "./reply.ts";
import type { Route } from "./routes.ts";

export interface CredentialProof {
  /** Undefined: upstream accepts the credential. Otherwise the answer to relay. @throws UpstreamFailure */
  prove(request: MailRequest, route: Route, pinned: Agent | undefined): Promise<Reply | undefined>;
  /**
   * Upstream has answered a command that passed as it answers those whom it knows. Whoever is held a moment later need not be
   * asked about then: at a deadline that would be one question for each phone, and a server whose places are all taken by
   * phones that wait answers none of them.
   */
  accept(request: MailRequest, route: Route): void;
  /** Upstream has refused a credential of this person, on whatever way. */
  doubt(person: Person | undefined): void;
}

export interface CredentialProofOptions {
  readonly secret: Uint8Array;
  /** How long a password may still open the notice after it was changed. */
  readonly validMs: number;
  readonly now: () => number;
}

const answerLimitBytes = 65_536;
const timeoutMs = 30_000;
/** How long it is believed that a server answers OPTIONS as it did: it may be replaced meanwhile. */
const optionsKnownMs = 3_600_000;
const againSeconds = 60;

export function createCredentialProof({ secret, validMs, now }: CredentialProofOptions): CredentialProof {
  const proven = createProvenCredentials(validMs, now);
  /** Whether OPTIONS on a route tells a good credential from a made-up one. */
  const optionsTell = new Map<string, { readonly tells: Promise<boolean>; readonly until: number }>();

  async function prove(request: MailRequest, route: Route, pinned: Agent | undefined): Promise<Reply | undefined> {
    const { authorization, person } = request.credential;
    // What authenticates a connection proves nothing on another one, so it is asked about each time.
    const hash = pinned === undefined && authorization !== undefined ? hashOf(authorization, route) : undefined;
    if (hash !== undefined && proven.holds(hash)) return undefined;
    const isNobody = authorization === undefined && pinned === undefined;
    const refused = await ask(request, route, pinned, isNobody);
    if (refused !== undefined) {
      proven.doubt(person);
      return refused;
    }
    // An upstream that answers to everybody proves nothing about nobody.
    if (isNobody) return comeBackLater(againSeconds);
    if (hash !== undefined) proven.keep(hash, person);
    return undefined;
  }

  async function ask(
    request: MailRequest,
    route: Route,
    pinned: Agent | undefined,
    isNobody: boolean,
  ): Promise<Reply | undefined> {
    const { probe } = route.protocol;
    if (probe === undefined || probe.afterOptions) {
      const answer = await options(request.credential.authorization, request, route, pinned);
      if (isNobody || !(isSuccess(answer) || isNotImplemented(answer))) return refusalOf(answer, isSuccess(answer));
      if (isSuccess(answer) && (await tells(request, route))) return undefined;
    }
    if (probe === undefined) return comeBackLater(againSeconds);
    const answer = await command(probe, request, route, pinned);
    return refusalOf(answer, probe.proves(answer));
  }

  function options(
    authorization: string | undefined,
    request: MailRequest,
    route: Route,
    pinned: Agent | undefined,
  ): Promise<UpstreamAnswer> {
    const headers = headersOf(request, authorization);
    for (const name of ["x-ms-policykey", "ms-asprotocolversion"]) headers.delete(name);
    return route.upstream.exchange({
      method: "OPTIONS",
      target: route.path,
      headers,
      body: undefined,
      answerLimitBytes,
      timeoutMs,
      agent: pinned,
    });
  }

  function command(
    probe: CredentialProbe,
    request: MailRequest,
    route: Route,
    pinned: Agent | undefined,
  ): Promise<UpstreamAnswer> {
    const headers = headersOf(request, request.credential.authorization);
    for (const [name, value] of probe.headers) headers.set(name, value);
    return route.upstream.exchange({
      method: "POST",
      target: probe.target(request),
      headers,
      body: probe.body,
      answerLimitBytes,
      timeoutMs,
      agent: pinned,
    });
  }

  /**
   * Some servers answer OPTIONS to everybody, and some to everybody who sends any credential at all (old versions of Horde and
   * of Z-Push). So they are asked with one that cannot be good.
   */
  function tells(request: MailRequest, route: Route): Promise<boolean> {
    const { scheme } = request.credential;
    const key = `${route.upstream.url.href} ${route.path} ${scheme}`;
    const known = optionsTell.get(key);
    if (known !== undefined && known.until > now()) return known.tells;
    const asked = options(madeUp(scheme), request, route, undefined).then((answer) => !isSuccess(answer));
    optionsTell.set(key, { tells: asked, until: now() + optionsKnownMs });
    // What could not be learnt is asked again by the next one.
    asked.catch(() => optionsTell.delete(key));
    return asked;
  }

  function hashOf(authorization: string, route: Route): string {
    return createHmac("sha256", secret).update(`${route.upstream.url.href} ${authorization}`).digest("base64url");
  }

  function accept({ credential, headers }: MailRequest, route: Route): void {
    const { authorization, person, scheme } = credential;
    // With a cookie it may have been the cookie's owner whom upstream knew, and the credential anybody's.
    if (authorization === undefined || headers.has("cookie") || (scheme !== "basic" && scheme !== "bearer")) return;
    proven.keep(hashOf(authorization, route), person);
  }

  return { prove, accept, doubt: (person) => proven.doubt(person) };
}

/** What the client sent, with this credential and with nothing else that could speak for somebody: a cookie may log in too. */
function headersOf(request: MailRequest, authorization: string | undefined): Map<string, string> {
  const headers = new Map(request.headers);
  for (const name of ["authorization", "content-encoding", "content-length", "content-type", "cookie"])
    headers.delete(name);
  if (authorization !== undefined) headers.set("authorization", authorization);
  return headers;
}

/** Of the same kind, so that the server looks at it in the same way. What logs a connection in has no kind that could be made up. */
function madeUp(scheme: Credential["scheme"]): string | undefined {
  const random = randomBytes(12).toString("hex");
  if (scheme === "basic") return `Basic ${Buffer.from(`postern-${random}:${random}`).toString("base64")}`;
  return scheme === "bearer" ? `Bearer ${random}` : undefined;
}

function isSuccess({ httpStatus }: UpstreamAnswer): boolean {
  return httpStatus >= 200 && httpStatus < 300;
}

function isNotImplemented({ httpStatus }: UpstreamAnswer): boolean {
  return httpStatus === 405 || httpStatus === 501;
}

function refusalOf(answer: UpstreamAnswer, isProof: boolean): Reply | undefined {
  if (isProof) return undefined;
  if (answer.httpStatus >= 400 && answer.httpStatus < 500) return relayUntouched(answer);
  return comeBackLater(againSeconds);
}
