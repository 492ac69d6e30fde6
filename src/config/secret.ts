/** Values that nobody may print, and the one secret that belongs to the installation itself. */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import path from "node:path";
import { inspect } from "node:util";
import { errorCode, fileProblem, readBytes } from "./read-text.ts";
import { bad, good } from "./reading.ts";
import type { Reading } from "./reading.ts";

export const MASK = "***";

/** A value that every way of printing shows as `***`. Only `reveal` gives it out, so each use can be found by its name. */
export interface Secret<T> {
  readonly reveal: () => T;
  readonly toString: () => typeof MASK;
  readonly toJSON: () => typeof MASK;
  readonly [inspect.custom]: () => typeof MASK;
}

export function createSecret<T>(value: T): Secret<T> {
  const mask = (): typeof MASK => MASK;
  // The value lives in a closure: spreading, cloning and walking the properties do not reach it.
  return { reveal: () => value, toString: mask, toJSON: mask, [inspect.custom]: mask };
}

export interface InstallationSecret {
  /** Key material for HKDF or HMAC, at least 32 bytes. */
  readonly secret: Secret<Uint8Array>;
  /** True on the first start, which is worth a line in the log: every node needs the same file. */
  readonly created: boolean;
}

/** 256 bits, as HMAC-SHA-256 wants them (RFC 2104, 3). */
const INSTALLATION_SECRET_BYTES = 32;
/** Far above what anybody's generator writes, and small enough to be read without thinking. */
const INSTALLATION_SECRET_LIMIT_BYTES = 4096;

/** 32 random bytes practically never have fewer; "changeme" forty times over has eight. */
const DISTINCT_BYTES_MINIMUM = 12;

/** Reads the installation's secret, and makes it where there is none. Many processes may do this at once. */
export function openInstallationSecret(file: string): Reading<InstallationSecret> {
  const existing = readInstallationSecret(file);
  if (existing !== undefined) return existing.ok ? good({ secret: existing.value, created: false }) : existing;

  const problem = createInstallationSecret(file);
  if (problem !== undefined && problem !== "EEXIST") return bad(`cannot be made (${problem})`);
  const made = readInstallationSecret(file);
  if (made === undefined) return bad("was removed while it was being made");
  return made.ok ? good({ secret: made.value, created: problem === undefined }) : made;
}

/** Undefined where there is no such file yet. */
export function readInstallationSecret(file: string): Reading<Secret<Uint8Array>> | undefined {
  const access = checkAccess(file);
  if (!access.ok) return access;
  if (access.value === "absent") return undefined;
  const bytes = readBytes(file, INSTALLATION_SECRET_LIMIT_BYTES);
  if (!bytes.ok) return bytes;
  const material = materialOf(bytes.value);
  if (material.length < INSTALLATION_SECRET_BYTES) {
    return bad(`is too short: at least ${INSTALLATION_SECRET_BYTES} bytes, such as openssl rand -base64 32 writes`);
  }
  if (new Set(material).size < DISTINCT_BYTES_MINIMUM) return bad("is not random: too few different bytes");
  return good(createSecret(new Uint8Array(material)));
}

/**
 * Whoever reads this file can sign links and keys in the installation's name. A group may read it: that is how
 * Kubernetes (`fsGroup`) hands a secret to a process that is not root. Others may not, and nobody but its owner may write.
 */
function checkAccess(file: string): Reading<"present" | "absent"> {
  try {
    const stats = statSync(file);
    if (stats.isDirectory()) return bad("is a directory");
    // Windows has no such bits, and reports every file as readable by all.
    if (process.platform === "win32") return good("present");
    if ((stats.mode & 0o007) !== 0) {
      return bad("is open to every user of the machine; chmod 600 it (in Kubernetes: defaultMode 0440)");
    }
    if ((stats.mode & 0o020) !== 0) return bad("can be written by its group; chmod 640 it at most");
    return good("present");
  } catch (error) {
    return errorCode(error) === "ENOENT" ? good("absent") : bad(fileProblem(error));
  }
}

/** The line end that editors and `openssl rand` add to text is no part of it; of binary material every byte counts. */
function materialOf(bytes: Buffer): Buffer {
  const text = bytes.toString("latin1");
  return /^[\x20-\x7e]*\r?\n?$/.test(text) ? Buffer.from(text.trimEnd(), "latin1") : bytes;
}

/** The code of what went wrong; `EEXIST` where another process was quicker, whose secret is then everybody's. */
function createInstallationSecret(file: string): string | undefined {
  const directory = path.dirname(file);
  const draft = path.join(directory, `.${path.basename(file)}.${process.pid}.${randomBytes(6).toString("hex")}`);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeDurably(draft, `${randomBytes(INSTALLATION_SECRET_BYTES).toString("base64url")}\n`);
    // A link appears whole or not at all, and never replaces what is there.
    linkSync(draft, file);
    return undefined;
  } catch (error) {
    return errorCode(error);
  } finally {
    rmSync(draft, { force: true });
  }
}

function writeDurably(file: string, text: string): void {
  const descriptor = openSync(file, "wx", 0o600);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
