/** The two kinds of Autodiscover answers, with the addresses in them made public. */
import { activeSyncAddress, publicAddress, publicHost } from "./address.ts";
import type { AddressRewrite } from "./address.ts";
import { answerRefused } from "./refused.ts";
import { escapeXml, readXml } from "./xml.ts";

/** Elements with a bare host name in them (MS-OXDSCLI 2.2.4); all others have a whole address or something else. */
const hostElements: ReadonlySet<string> = new Set(["server", "publicfolderserver", "name"]);

/** One open element: what the meaning of its children depends on. */
interface Frame {
  readonly name: string;
  /** A `Type` of `MobileSync` is in it (MS-ASCMD 2.2.3.184). */
  mobileSync: boolean;
  /** Where the texts of its `Url` children stand in the output. */
  readonly urls: number[];
}

/**
 * XML ("plain old XML"). Every element is looked at, not a list of names: each release of Exchange has brought new ones
 * (`ASUrl`, `EwsUrl`, `InternalUrl` …), and an address that was missed is a way around the gate.
 * @throws UpstreamFailure
 */
export function rewriteXml(document: string, rewrite: AddressRewrite): string {
  const frames: Frame[] = [];
  const written: string[] = [`<?xml version="1.0" encoding="utf-8"?>\n`];
  for (const part of readXml(document)) {
    const frame = frames.at(-1);
    switch (part.kind) {
      case "start":
        frames.push({ name: localName(part.name), mobileSync: false, urls: [] });
        written.push(part.raw);
        break;
      case "text":
        if (frame !== undefined) noteType(frame, frames.at(-2), part.text, written.length);
        written.push(rewriteText(frame?.name ?? "", part.text, part.raw, rewrite));
        break;
      case "end":
        // The phone takes this address whole, so it is the gate's whatever stood there.
        if (frame?.mobileSync === true)
          for (const at of frame.urls) written[at] = escapeXml(activeSyncAddress(rewrite));
        frames.pop();
        written.push(`</${part.name}>`);
    }
  }
  return written.join("");
}

function noteType(frame: Frame, parent: Frame | undefined, text: string, at: number): void {
  if (parent === undefined || text.trim() === "") return;
  if (frame.name === "type" && text.trim().toLowerCase() === "mobilesync") parent.mobileSync = true;
  if (frame.name === "url") parent.urls.push(at);
}

function rewriteText(element: string, text: string, raw: string, rewrite: AddressRewrite): string {
  const address = publicAddress(text, rewrite);
  const changed = address ?? (hostElements.has(element) ? publicHost(text, rewrite) : undefined);
  return changed === undefined || changed === text ? raw : escapeXml(changed);
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1).toLowerCase();
}

/** JSON. Written anew, so that a name that came twice has one value. @throws UpstreamFailure */
export function rewriteJson(document: string, rewrite: AddressRewrite): string {
  const parsed = parseJson(document, (_key, value) => {
    if (typeof value === "string") return publicAddress(value, rewrite) ?? value;
    return isActiveSyncAnswer(value) ? Object.fromEntries(Object.entries(value).map(atTheGate)) : value;
  });
  return JSON.stringify(parsed);

  function atTheGate([name, value]: [string, unknown]): [string, unknown] {
    return [name, name.toLowerCase() === "url" && typeof value === "string" ? activeSyncAddress(rewrite) : value];
  }
}

function parseJson(document: string, revive: (key: string, value: unknown) => unknown): unknown {
  try {
    const parsed: unknown = JSON.parse(document, revive);
    return parsed;
  } catch (cause) {
    // Broken, or so deep that reading it takes more stack than there is.
    throw answerRefused(`no JSON: ${cause instanceof Error ? cause.name : "unreadable"}`);
  }
}

function isActiveSyncAnswer(value: unknown): value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(value).some(
    ([name, protocol]) =>
      name.toLowerCase() === "protocol" && typeof protocol === "string" && protocol.toLowerCase() === "activesync",
  );
}
