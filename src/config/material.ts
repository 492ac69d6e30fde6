/** Certificates and keys, read and tried out before anything listens: a TLS server that cannot start is found here. */
import { X509Certificate, createPrivateKey } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { TlsIdentity } from "./config.ts";
import type { Path } from "./fault.ts";
import type { Finding } from "./issues.ts";
import { readText } from "./read-text.ts";
import { createSecret, readInstallationSecret } from "./secret.ts";
import type { Secret } from "./secret.ts";
import { readTokenKeys } from "./token-keys.ts";
import { EACH, placesIn, textAt } from "./tree.ts";

/** The bundle of all public authorities has about 230 KiB. */
const PEM_LIMIT_BYTES = 1024 * 1024;

export interface Material {
  readonly tls: TlsIdentity | undefined;
  readonly inventoryTls: TlsIdentity | undefined;
  readonly upstreamCa: string | undefined;
  readonly redisCa: string | undefined;
  readonly previousSecret: Secret<Uint8Array> | undefined;
  /** Of each connector, in their order. */
  readonly connectorCas: readonly (string | undefined)[];
}

/** Of a tree that may have other faults: every file it names is looked at. */
export function readMaterial(tree: unknown): { readonly material: Material; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];

  function report(path: Path, message: string): undefined {
    findings.push({ path, message, side: "value" });
    return undefined;
  }

  function read(path: Path): string | undefined {
    const file = textAt(tree, path);
    if (file === undefined || file === "") return undefined;
    const text = readText(file, PEM_LIMIT_BYTES);
    return text.ok ? text.value : report(path, text.problem);
  }

  function readAuthorities(path: Path): string | undefined {
    const pem = read(path);
    if (pem === undefined) return undefined;
    return countCertificates(pem) > 0 ? pem : report(path, "holds no certificates in PEM form");
  }

  function readTls(section: string): TlsIdentity | undefined {
    const certPath = [section, "tls", "cert"];
    const keyPath = [section, "tls", "key"];
    const cert = read(certPath);
    const key = read(keyPath);
    if (cert !== undefined && countCertificates(cert) === 0) report(certPath, "holds no certificate in PEM form");
    else if (key !== undefined && !isPrivateKey(key)) {
      report(keyPath, "holds no private key in PEM form that can be read without a passphrase");
    } else if (cert !== undefined && key !== undefined) {
      if (!belongsTo(cert, key)) return report(keyPath, "is not the key of the certificate");
      // The server's own test: it also refuses keys and signatures that are too weak.
      if (!isServed(cert, key)) return report(certPath, "is refused by TLS, such as for a weak key or signature");
      return { cert, key: createSecret(key) };
    }
    return undefined;
  }

  function readSecret(path: Path): Secret<Uint8Array> | "absent" | undefined {
    const file = textAt(tree, path);
    if (file === undefined || file === "") return undefined;
    const secret = readInstallationSecret(file);
    if (secret === undefined) return "absent";
    return secret.ok ? secret.value : report(path, secret.problem);
  }

  const tls = readTls("mail");
  const inventoryTls = readTls("inventory");
  const upstreamCa = readAuthorities(["upstream", "ca"]);
  const redisCa = readAuthorities(["store", "redis", "ca"]);
  const connectorCas = placesIn(tree, ["inventory", "connectors", EACH, "ca"]).map(readAuthorities);
  readSecret(secretPath);
  const previous = readSecret(previousSecretPath);
  // The first one is made where it is absent; nobody can make the one that was before.
  if (previous === "absent") report(previousSecretPath, "does not exist");
  const previousSecret = previous === "absent" ? undefined : previous;
  readSecret(breakGlassPath);
  const keySet = read(keySetPath);
  const keys = keySet === undefined ? undefined : readTokenKeys(keySet);
  if (keys !== undefined && !keys.ok) report(keySetPath, keys.problem);
  return { material: { tls, inventoryTls, upstreamCa, redisCa, connectorCas, previousSecret }, findings };
}

const secretPath = ["secret", "file"];
const breakGlassPath = ["admin", "access", "breakGlassFile"];
const keySetPath = ["admin", "access", "keysFile"];
const previousSecretPath = ["secret", "previousFile"];

/** 0 also where one of them is damaged. Comments between them are usual. */
function countCertificates(pem: string): number {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.every((block) => succeeds(() => new X509Certificate(block))) ? blocks.length : 0;
}

function isPrivateKey(pem: string): boolean {
  return succeeds(() => createPrivateKey(pem));
}

function belongsTo(cert: string, key: string): boolean {
  return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
}

function isServed(cert: string, key: string): boolean {
  return succeeds(() => createSecureContext({ cert, key }));
}

/** OpenSSL says no by throwing, in words that are not for people. */
function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
