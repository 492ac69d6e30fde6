/**
 * What was last known, kept over a restart: a node that starts while the store is away serves the devices that it knew. The
 * file is signed, because whoever could write an allow into it would open the gate.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Notice } from "../notice/notice.ts";
import { toDeviceId } from "../policy/device.ts";
import type { DeviceId } from "../policy/device.ts";
import { complianceStates } from "../policy/verdict.ts";
import type { Known, LastKnown } from "./last-known.ts";

export interface LastKnownFile {
  /** Undefined: everything was taken in, or there is no file yet. Otherwise why nothing was. */
  load(): string | undefined;
  save(): void;
}

/** 500 000 devices of 100 bytes each, and notices for some. */
const fileLimitBytes = 512 * 1_048_576;

export function createLastKnownFile(file: string, secret: Uint8Array, lastKnown: LastKnown): LastKnownFile {
  const sign = (text: string): string => createHmac("sha256", secret).update(text).digest("base64url");

  function save(): void {
    const lines = [...lastKnown.entries()].map(([key, known]) => JSON.stringify(toLine(key, known)));
    const text = lines.join("\n");
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    // Written beside and renamed: a crash leaves the old file or the new one, never half of one.
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, `${sign(text)}\n${text}`, { mode: 0o600 });
    renameSync(draft, file);
  }

  function load(): string | undefined {
    let content: string;
    try {
      const bytes = readFileSync(file);
      if (bytes.byteLength > fileLimitBytes) return "is too large";
      content = bytes.toString("utf8");
    } catch (error) {
      return error instanceof Error && "code" in error && error.code === "ENOENT" ? undefined : "cannot be read";
    }
    const end = content.indexOf("\n");
    const text = content.slice(end + 1);
    const expected = Buffer.from(sign(text));
    const claimed = Buffer.from(content.slice(0, Math.max(0, end)));
    if (claimed.byteLength !== expected.byteLength || !timingSafeEqual(claimed, expected))
      return "is not signed by this installation";
    lastKnown.restore(text === "" ? [] : text.split("\n").flatMap(fromLine));
    return undefined;
  }

  return { load, save };
}

interface Line {
  readonly key: string;
  readonly id: DeviceId;
  readonly action: Known["action"];
  readonly state: Known["state"];
  readonly at: number;
  readonly until?: number;
  readonly notice?: Notice;
}

/** The mailbox stays out: what a phone holds may have changed on another node before this one is back. */
function toLine(key: string, { id, action, state, at, until, notice }: Known): Line {
  return {
    key,
    id,
    action,
    state,
    at,
    ...(until === undefined ? {} : { until }),
    ...(notice === undefined ? {} : { notice }),
  };
}

function fromLine(text: string): (readonly [string, Known])[] {
  const line: unknown = JSON.parse(text);
  if (!isLine(line)) return [];
  const { key, id, action, state, at, until, notice } = line;
  return [[key, { id, action, state, at, until, notice, mailbox: undefined }]];
}

/** The signature says that we wrote it; an older version may have written it in another shape. */
function isLine(line: unknown): line is Line {
  if (typeof line !== "object" || line === null) return false;
  if (!("key" in line && "id" in line && "action" in line && "state" in line && "at" in line)) return false;
  const { key, id, action, state, at } = line;
  if (typeof id !== "string" || toDeviceId(id) !== id || typeof key !== "string" || typeof at !== "number")
    return false;
  if ("until" in line && typeof line.until !== "number") return false;
  if (action !== "allow" && (!("notice" in line) || !isNotice(line.notice))) return false;
  return (
    (action === "allow" || action === "quarantine" || action === "block") &&
    complianceStates.some((known) => known === state)
  );
}

function isNotice(notice: unknown): notice is Notice {
  if (typeof notice !== "object" || notice === null || !("from" in notice)) return false;
  const texts = ["digest", "language", "subject", "text", "html"].map(
    (name) => Object.entries(notice).find(([key]) => key === name)?.[1],
  );
  return texts.every((text) => typeof text === "string");
}
