/** The API as a part of the admin listener: each request is checked, known, allowed, read, done once, audited and answered. */
import type { ServerResponse } from "node:http";
import { Router } from "express";
import type { Request, Response } from "express";
import { PolicyRefused } from "../campaign/ledger.ts";
import type { DocumentStore } from "../store/documents.ts";
import { PolicyUnreadable, StoreUnavailable } from "../store/store.ts";
import { requireRole } from "./access.ts";
import type { Access } from "./access.ts";
import type { AuditPort } from "./audit-port.ts";
import { readIfMatch } from "./entity-tag.ts";
import { checkHost } from "./host-check.ts";
import { once } from "./idempotency.ts";
import { readJsonBody } from "./json-body.ts";
import { documentOf, Problem } from "./problem.ts";
import type { ProblemName } from "./problem.ts";
import { readQuery } from "./query.ts";
import { takesBody, writes } from "./route.ts";
import type { Actor, Answer, Method, RawCall, Route } from "./route.ts";

export interface ApiOptions {
  readonly routes: readonly Route[];
  readonly access: Access;
  readonly hosts: readonly string[];
  readonly store: Pick<DocumentStore, "transact">;
  readonly audit: AuditPort;
  readonly now: () => Date;
  /** What nobody foresaw. */
  readonly onFailure: (cause: unknown) => void;
}

/** Of a body whose route says nothing else. */
const BODY_LIMIT_BYTES = 65_536;
const methods: ReadonlySet<string> = new Set(["GET", "POST", "PUT", "PATCH", "DELETE"]);

export function createApi(options: ApiOptions): Router {
  const { routes, access, hosts } = options;
  const router = Router({ caseSensitive: true, strict: true });
  const actors = new WeakMap<Request, Actor>();

  router.use((req, res, next) => {
    res.set({ "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" });
    checkHost(req.headers, hosts);
    if (!methods.has(req.method)) throw new Problem("method-not-allowed");
    actors.set(req, access.authenticate(req.headers.authorization, addressOf(req)));
    next();
  });
  for (const route of routes) router[route.method](pathOf(route), (req, res) => answer(route, req, res));
  for (const [path, allowed] of methodsByPath(routes)) {
    router.all(path, () => {
      throw new Problem("method-not-allowed", { headers: { Allow: allowed.join(", ") } });
    });
  }
  router.use(() => {
    throw new Problem("not-found", { detail: "there is no such path" });
  });
  // Express knows by its four parameters that it answers what went wrong.
  router.use((error: unknown, req: Request, res: Response, _next: unknown) => answerProblem(error, req, res));
  return router;

  async function answer(route: Route, req: Request, res: Response): Promise<void> {
    const actor = actors.get(req);
    if (actor === undefined) throw new Problem("unauthenticated");
    requireRole(actor, route.role);
    if (req.accepts(route.mediaType ?? "application/json") === false) throw new Problem("not-acceptable");
    const ifMatch = readIfMatch(req.headers["if-match"]);
    if (route.ifMatch === "required" && ifMatch === undefined) throw new Problem("precondition-required");
    const search = req.originalUrl.slice(req.originalUrl.split("?")[0]?.length ?? 0);
    const call: RawCall = {
      params: { ...req.params },
      query: readQuery(search),
      body: await bodyOf(route, req),
      actor,
      address: addressOf(req),
      ifMatch,
    };
    if (!writes(route)) {
      const answered = await route.invoke(call);
      return "stream" in answered ? answered.stream(res) : send(res, answered);
    }
    const key = req.headers["idempotency-key"];
    const act = (): Promise<Answer> => actOf(route, call);
    if (key === undefined) return send(res, await act());
    const what = `${req.method} ${req.originalUrl} ${ifMatch ?? ""}`;
    const request = { key: String(key), actor: `${actor.means} ${actor.name}`, what, body: call.body };
    const { answer: answered, isRepeated } = await once(options.store, request, act);
    if (isRepeated) res.set("Idempotency-Replayed", "true");
    return send(res, answered);
  }

  /** The one place where what operators do is audited. */
  async function actOf(route: Route, call: RawCall): Promise<Answer> {
    const answered = await route.invoke(call);
    if ("stream" in answered) throw new Problem("internal");
    const { actor, address, body } = call;
    await options.audit.append({
      at: options.now(),
      act: `${route.method} ${route.path}`,
      actor: actor.name,
      means: actor.means,
      role: actor.role,
      address,
      why: whyIn(body),
      about: answered.changed?.about ?? [],
      before: answered.changed?.before,
      after: answered.changed?.after,
    });
    return answered;
  }

  function answerProblem(error: unknown, { headers }: Request, res: Response): void {
    const problem = problemOf(error, headers["if-match"] !== undefined);
    if (problem.problem === "internal") options.onFailure(error);
    if (res.headersSent) return void res.destroy();
    const document = documentOf(problem);
    res.status(document.status).set(problem.more.headers ?? {});
    res.type("application/problem+json").send(JSON.stringify(document));
  }
}

async function bodyOf(route: Route, req: Request): Promise<unknown> {
  const body = await readJsonBody(req, route.bodyLimitBytes ?? BODY_LIMIT_BYTES);
  if (body !== undefined && !takesBody(route)) throw new Problem("bad-request", { detail: "this path takes no body" });
  return body;
}

function send(res: ServerResponse, { httpStatus, body, etag, location }: Answer): void {
  res.statusCode = httpStatus;
  if (etag !== undefined) res.setHeader("ETag", `"${etag}"`);
  if (location !== undefined) res.setHeader("Location", location);
  res.setHeader("Content-Type", "application/json; charset=utf-8");
  res.end(JSON.stringify(body ?? {}));
}

function pathOf({ path }: Route): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

function methodsByPath(routes: readonly Route[]): ReadonlyMap<string, readonly string[]> {
  const byPath = Map.groupBy(routes, pathOf);
  const upper = (method: Method): string => method.toUpperCase();
  return new Map([...byPath].map(([path, all]) => [path, all.map(({ method }) => upper(method))]));
}

/** An IPv4 address is written as one, however the socket came by it. */
function addressOf({ socket }: Request): string {
  return (socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
}

function whyIn(body: unknown): string {
  return typeof body === "object" && body !== null && "why" in body && typeof body.why === "string" ? body.why : "";
}

const refusals: Readonly<Record<PolicyRefused["code"], ProblemName>> = {
  "unknown-campaign": "not-found",
  "unknown-exemption": "not-found",
  "unknown-version": "not-found",
  "not-changed": "not-changed",
  "in-force": "conflict",
  invalid: "conflict",
  busy: "conflict",
};

function problemOf(error: unknown, hasPrecondition: boolean): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof PolicyRefused) {
    const problem = error.code === "busy" && hasPrecondition ? "precondition-failed" : refusals[error.code];
    return new Problem(problem, { detail: error.message });
  }
  if (error instanceof StoreUnavailable) return new Problem("store-unavailable", { headers: { "Retry-After": "5" } });
  if (error instanceof PolicyUnreadable)
    return new Problem("policy-unreadable", { detail: "roll back to a version that can be read" });
  // What Express says of a path in which the percent signs mean nothing.
  if (error instanceof URIError) return new Problem("bad-request", { detail: "the path cannot be read" });
  return new Problem("internal");
}
