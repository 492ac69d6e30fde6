/** Reading the trail: the newest entries that somebody asks for, or all of them in their order. */
import { AUDIT_PAGE_LIMIT } from "../store/audit-log.ts";
import type { AuditStore } from "../store/audit-log.ts";
import type { DeviceId } from "../policy/device.ts";
import type { Chain, Line } from "./chain.ts";

export interface AuditFilter {
  /** By any of these ids. */
  readonly devices?: readonly DeviceId[] | undefined;
  /** A campaign, or an exemption. */
  readonly about?: string | undefined;
  /** Without case. */
  readonly actor?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

/** What a store takes may be dated a little later there than here. */
const CLOCKS_APART_MS = 600_000;

/** Only what this installation has sealed: what is forged is for `verifyAudit` to tell. */
export async function* auditNewestFirst(
  store: Pick<AuditStore, "auditBefore">,
  chain: Chain,
  filter: AuditFilter,
): AsyncGenerator<Line> {
  const since = filter.since?.getTime() ?? -Infinity;
  for (let place: string | undefined; ;) {
    const page = await store.auditBefore(place, AUDIT_PAGE_LIMIT);
    for (const { line: text, storedAtMs } of page) {
      // What was written since then is not older in the store; what was put there again may be younger.
      if (storedAtMs < since - CLOCKS_APART_MS) return;
      const line = lineIn(chain, text);
      if (line !== undefined && isMeant(line, filter)) yield line;
    }
    const last = page.at(-1);
    if (last === undefined) return;
    ({ place } = last);
  }
}

export async function* auditOldestFirst(
  store: Pick<AuditStore, "auditAfter">,
  chain: Chain,
  filter: AuditFilter,
): AsyncGenerator<Line> {
  for (let place: string | undefined; ;) {
    const page = await store.auditAfter(place, AUDIT_PAGE_LIMIT);
    for (const { line: text } of page) {
      const line = lineIn(chain, text);
      if (line !== undefined && isMeant(line, filter)) yield line;
    }
    const last = page.at(-1);
    if (last === undefined) return;
    ({ place } = last);
  }
}

function lineIn(chain: Chain, text: string | undefined): Line | undefined {
  const read = text === undefined ? undefined : chain.read(text);
  return read?.kind === "good" ? read.line : undefined;
}

function isMeant({ entry }: Line, { devices, about, actor, since, until }: AuditFilter): boolean {
  if (devices !== undefined && (entry.device === undefined || !devices.includes(entry.device))) return false;
  if (about !== undefined && !entry.about.includes(about)) return false;
  if (actor !== undefined && entry.actor.toLowerCase() !== actor.toLowerCase()) return false;
  if (since !== undefined && entry.at < since) return false;
  return until === undefined || entry.at < until;
}

/** An entry as others get it: in JSON, and from the API. */
export function auditJson({ writer, sequence, seal, entry }: Line): Readonly<Record<string, unknown>> {
  const { at, device, version, ...rest } = entry;
  return {
    at: at.toISOString(),
    ...rest,
    device: device ?? null,
    version: version ?? null,
    writer,
    sequence,
    seal,
  };
}
