/** What one route of the API is: data, from which Express, the checks, the OpenAPI document and the tests are made. */
import type { ServerResponse } from "node:http";
import * as z from "zod";
import { adminRoles as roles } from "../config/admin-roles.ts";
import type { AdminRole as Role } from "../config/admin-roles.ts";
import { Problem } from "./problem.ts";

export { roles };
export type { Role };

export interface Actor {
  /** As the token names them; it stands in the history. */
  readonly name: string;
  readonly role: Role;
  readonly means: "token" | "local-token" | "break-glass";
  /** When the token ends; undefined: it does not. */
  readonly expiresAt: Date | undefined;
}

export interface Call<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly actor: Actor;
  readonly address: string;
  /** The tag of If-Match without its quotes; `*`; undefined: it was not said. */
  readonly ifMatch: string | undefined;
}

export interface Answer {
  readonly httpStatus: number;
  readonly body?: unknown;
  /** Without quotes. */
  readonly etag?: string | undefined;
  readonly location?: string | undefined;
  /** For the audit, of writes. */
  readonly changed?:
    | { readonly about: readonly string[]; readonly before?: unknown; readonly after?: unknown }
    | undefined;
}

/** An answer that goes on: the handler writes it until one side ends it. */
interface StreamAnswer {
  readonly stream: (res: ServerResponse) => void;
}

export type Method = "get" | "post" | "put" | "patch" | "delete";

interface RouteBase {
  readonly method: Method;
  /** Below `/api/v1`, with parameters as `{id}`. */
  readonly path: string;
  /** The least that may call it. */
  readonly role: Role;
  readonly tag: string;
  readonly summary: string;
  /** `required`: a write that would undo what somebody else did meanwhile. */
  readonly ifMatch?: "required" | "optional" | undefined;
  readonly bodyLimitBytes?: number | undefined;
  /** A POST that changes nothing. */
  readonly readsOnly?: boolean | undefined;
  readonly answers: Readonly<Record<number, { readonly description: string; readonly schema?: z.ZodType | undefined }>>;
  /** Of the answer; `application/json` unless told otherwise. */
  readonly mediaType?: string | undefined;
}

export interface RouteSpec<P, Q, B> extends RouteBase {
  readonly params: z.ZodType<P>;
  readonly query: z.ZodType<Q>;
  /** `noBody` where it takes none. */
  readonly body: z.ZodType<B>;
  readonly handle: (call: Call<P, Q, B>) => Promise<Answer | StreamAnswer>;
}

/** The parts of a request as they came, to be read by the schemas. */
export type RawCall = Call<unknown, unknown, unknown>;

export interface Route extends RouteBase {
  readonly params: z.ZodType;
  readonly query: z.ZodType;
  readonly body: z.ZodType;
  /** @throws Problem `invalid-request` with every fault */
  readonly invoke: (call: RawCall) => Promise<Answer | StreamAnswer>;
}

export const nothing = z.strictObject({});
export const noBody = z.undefined();

export function takesBody({ body }: Pick<Route, "body">): boolean {
  return body !== noBody;
}

/** Whether it changes something, so that it can be repeated under a key, and is audited. */
export function writes({ method, readsOnly }: Pick<Route, "method" | "readsOnly">): boolean {
  return method !== "get" && readsOnly !== true;
}

export function defineRoute<P, Q, B>({ handle, ...spec }: RouteSpec<P, Q, B>): Route {
  return {
    ...spec,
    invoke: async (call) => {
      const params = spec.params.safeParse(call.params);
      const query = spec.query.safeParse(call.query);
      const body = spec.body.safeParse(call.body);
      if (params.success && query.success && body.success)
        return handle({ ...call, params: params.data, query: query.data, body: body.data });
      const faults = [
        ...faultsOf(params.error?.issues, "path"),
        ...faultsOf(query.error?.issues, "query"),
        ...faultsOf(body.error?.issues, "body"),
      ];
      throw new Problem("invalid-request", { members: { errors: faults.slice(0, FAULTS_SHOWN_LIMIT) } });
    },
  };
}

interface Fault {
  /** `path`, `query` or `body`. */
  readonly in: string;
  /** JSON Pointer (RFC 6901). */
  readonly pointer: string;
  readonly detail: string;
}

/** Nobody mends more at once. */
const FAULTS_SHOWN_LIMIT = 50;

function faultsOf(issues: readonly z.core.$ZodIssue[] = [], place: string): Fault[] {
  return issues.map(({ path, message }) => ({
    in: place,
    pointer: path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1").slice(0, 64)}`).join(""),
    detail: message.slice(0, 300),
  }));
}
