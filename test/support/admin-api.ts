/** A gate whose admin API has an issuer of tokens, as an organisation has one. */
import { generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import jsonwebtoken from "jsonwebtoken";
import supertest from "supertest";
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
  raw(): supertest.Agent;
}

export interface Caller {
  get(path: string): supertest.Test;
  /** With `If-Match` where a tag is given. */
  send(
    method: "post" | "put" | "patch" | "delete",
    path: string,
    body?: object,
    headers?: Record<string, string>,
  ): supertest.Test;
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

  function as(role: RoleName | undefined, name?: string): Caller {
    const authorization = `Bearer ${token({ roles: role && [`p-${role}`], ...(name === undefined ? {} : { name }) })}`;
    const agent = supertest(gate.app.admin.url);
    return {
      get: (below) => agent.get(`/api/v1${below}`).set("Authorization", authorization),
      send: (method, below, body = {}, headers = {}) =>
        agent[method](`/api/v1${below}`).set("Authorization", authorization).set(headers).send(body),
    };
  }

  return {
    ...gate,
    signing,
    keysFile,
    breakGlassToken: readFileSync(breakGlassFile, "utf8").trim(),
    token,
    as,
    raw: () => supertest(gate.app.admin.url),
  };
}

/** A campaign as people write it; it bans an app at once. */
export const tiktok = {
  id: "tiktok",
  title: "TikTok is not permitted",
  require: [{ absent: { name: "TikTok", ios: ["com.zhiliaoapp.musically"] } }],
} as const;
