/** A gate whose admin API has an issuer of tokens, as an organisation has one. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import jsonwebtoken from "jsonwebtoken";
import * as z from "zod";
import { aGate } from "./gate.ts";
import type { Gate, GateOptions } from "./gate.ts";

export type RoleName = "viewer" | "helpdesk" | "operator" | "admin";

export const issuer = "https://login.corp.example";

export interface Signing {
  readonly kid: string;
  readonly algorithm: "ES256" | "RS256";
  readonly privateKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
}

export function newSigning(kid: string, algorithm: Signing["algorithm"] = "ES256"): Signing {
  const { privateKey, publicKey } =
    algorithm === "ES256"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { kid, algorithm, privateKey, jwk: { ...publicKey.export({ format: "jwk" }), kid, alg: algorithm } };
}

export interface TokenWishes {
  readonly name?: string;
  readonly roles?: unknown;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly signing?: Signing;
}

export interface AdminSide extends Gate {
  readonly signing: Signing;
  /** A file that the gate reads anew for a kid that it does not know. */
  readonly keysFile: string;
  readonly breakGlassToken: string;
  token(wishes?: TokenWishes): string;
  /** A request as somebody of this role; the path is below `/api/v1`. */
  as(role: RoleName | undefined, name?: string): Caller;
  /** With this token, or with none. */
  bearing(credential: string | undefined): Caller;
}

/** What an answer says, as far as tests look into it; whatever is not there is undefined when it is looked at. */
export interface Said {
  readonly id: string;
  readonly items: readonly Said[];
  readonly entries: readonly Said[];
  readonly lines: readonly Said[];
  readonly errors: readonly Said[];
  readonly campaigns: readonly Said[];
  readonly previews: readonly Said[];
  readonly plan: readonly Said[];
  readonly confirmation: Said;
  readonly verdict: Said;
  readonly override: Said;
  readonly preview: Said;
  readonly modes: unknown;
  readonly change: unknown;
  readonly act: unknown;
  readonly side: unknown;
  readonly text: unknown;
  readonly next: string | number | undefined;
  readonly action: unknown;
  readonly asker: unknown;
  readonly by: unknown;
  readonly confirm: unknown;
  readonly current: unknown;
  readonly cut: unknown;
  readonly detail: unknown;
  readonly device: unknown;
  readonly in: unknown;
  readonly maxDevices: unknown;
  readonly needsSecondPerson: unknown;
  readonly newlyCut: unknown;
  readonly number: unknown;
  readonly reason: unknown;
  readonly records: unknown;
  readonly region: unknown;
  readonly role: unknown;
  readonly share: unknown;
  readonly source: unknown;
  readonly state: unknown;
  readonly type: unknown;
  readonly version: unknown;
  readonly who: unknown;
  readonly why: unknown;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly body: Said;
}

export interface Asked extends Promise<Answered> {
  /** The same, where the HTTP status is another one a failure. */
  expect(status: number): Promise<Answered>;
}

export interface Caller {
  get(path: string): Asked;
  send(
    method: "post" | "put" | "patch" | "delete",
    path: string,
    body?: object,
    headers?: Readonly<Record<string, string>>,
  ): Asked;
}

const said = z.custom<Said>((value) => typeof value === "object" && value !== null);

function asked(request: Promise<Pick<Answered, "status" | "headers" | "text">>): Asked {
  const answer = request.then(({ status, headers, text }): Answered => {
    const json: unknown = text === "" ? {} : JSON.parse(text);
    return { status, headers, text, body: said.parse(json) };
  });
  const expect = async (status: number): Promise<Answered> => {
    const answered = await answer;
    assert.equal(answered.status, status, answered.text);
    return answered;
  };
  return Object.assign(answer, { expect });
}

export interface AdminSideOptions extends Omit<GateOptions, "config"> {
  /** More YAML of the configuration file. */
  readonly yaml?: string;
  /** More YAML below `admin.access`. */
  readonly access?: string;
}

export async function anAdminSide(t: TestContext, options: AdminSideOptions = {}): Promise<AdminSide> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-admin-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const signing = newSigning("first");
  const keysFile = path.join(folder, "keys.json");
  const breakGlassFile = path.join(folder, "break-glass");
  writeFileSync(keysFile, JSON.stringify({ keys: [signing.jwk] }));
  const config = `admin:
  hosts: [postern.corp.example]
  access:
    breakGlassFile: ${breakGlassFile}
    keysFile: ${keysFile}
    issuer: ${issuer}
    roles: { viewer: [p-viewer], helpdesk: [p-helpdesk], operator: [p-operator], admin: [p-admin] }
${options.access ?? ""}
${options.yaml ?? ""}
`;
  const gate = await aGate(t, { ...options, config });
  const nowMs = (): number => (options.now?.() ?? new Date()).getTime();

  function token({
    name = "alice@corp.example",
    roles,
    claims,
    header,
    signing: by = signing,
  }: TokenWishes = {}): string {
    const iat = Math.floor(nowMs() / 1000);
    const payload = { iss: issuer, aud: "postern", sub: name, iat, exp: iat + 600, roles, ...claims };
    return jsonwebtoken.sign(payload, by.privateKey, {
      algorithm: by.algorithm,
      keyid: by.kid,
      ...(header === undefined ? {} : { header: { alg: by.algorithm, kid: by.kid, ...header } }),
    });
  }

  function bearing(credential: string | undefined): Caller {
    const ask = async (
      method: string,
      below: string,
      headers: Readonly<Record<string, string>>,
      body?: object,
    ): Promise<Pick<Answered, "status" | "headers" | "text">> => {
      const response = await fetch(`${gate.app.admin.url}/api/v1${below}`, {
        method: method.toUpperCase(),
        headers: { ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
    };
    return {
      get: (below) => asked(ask("get", below, {})),
      send: (method, below, body = {}, headers = {}) =>
        asked(ask(method, below, { "content-type": "application/json", ...headers }, body)),
    };
  }

  function as(role: RoleName | undefined, name?: string): Caller {
    return bearing(token({ roles: role && [`p-${role}`], ...(name === undefined ? {} : { name }) }));
  }

  return {
    ...gate,
    signing,
    keysFile,
    breakGlassToken: readFileSync(breakGlassFile, "utf8").trim(),
    token,
    as,
    bearing,
  };
}

/** A campaign as people write it; it bans an app at once. */
export const tiktok = {
  id: "tiktok",
  title: "TikTok is not permitted",
  require: [{ absent: { name: "TikTok", ios: ["com.zhiliaoapp.musically"] } }],
} as const;
