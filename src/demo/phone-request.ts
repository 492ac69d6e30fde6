/** One ActiveSync request as the commands see it, and the answers that they can give. */
import { child, element, textOf, type Part } from "../activesync/document.ts";
import type { Content, Element, TagName } from "../activesync/wbxml.ts";
import type { Account, Accounts } from "./accounts.ts";
import type { Device, Devices } from "./devices.ts";
import type { Post } from "./post.ts";
import type { PhoneQuery } from "./phone-query.ts";
import type { WaitingRoom } from "./waiting-room.ts";

const versions = ["2.5", "12.0", "12.1", "14.0", "14.1", "16.0", "16.1"] as const;
export type Version = (typeof versions)[number];
/** What phones are told. The others are understood as far as somebody who asks for them needs it. */
export const announcedVersions = ["12.1", "14.0", "14.1"] as const;

export function isVersion(text: string | undefined): text is Version {
  return versions.some((version) => version === text);
}

export function isSince(version: Version, first: Version): boolean {
  return versions.indexOf(version) >= versions.indexOf(first);
}

export interface PhoneRequest {
  readonly account: Account;
  readonly device: Device;
  readonly version: Version;
  readonly query: PhoneQuery;
  /** Undefined where the body is empty, or is a message and no document. */
  readonly root: Element | undefined;
  readonly body: Buffer;
  /** Fires when the phone hangs up before it was answered. */
  readonly gone: AbortSignal;
}

/** What a command needs beside the request. */
export interface Office {
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly waitingRoom: WaitingRoom;
  readonly post: Post;
  readonly now: () => Date;
  readonly heartbeat: HeartbeatLimits;
  readonly provisioning: boolean;
  /** Kept from everybody outside: what it marks cannot be written by somebody else. */
  readonly seed: string;
}

export interface HeartbeatLimits {
  readonly minimumSeconds: number;
  readonly maximumSeconds: number;
}

export type Answer =
  | { readonly kind: "document"; readonly root: Element; readonly headers?: Readonly<Record<string, string>> }
  /** 200 without a body: success of SendMail, and "no changes" of Sync. */
  | { readonly kind: "empty" }
  | { readonly kind: "http"; readonly httpStatus: number }
  /** Sent while it is being read, at the pace of the one who reads. */
  | {
      readonly kind: "stream";
      readonly contentType: string;
      readonly sizeBytes: number;
      readonly chunks: () => Iterable<Uint8Array>;
    };

export type Command = (request: PhoneRequest, office: Office) => Answer | Promise<Answer>;

/** The text of the first child of that name. Like many servers, this one does not mind a second one. */
export function field(parent: Element | undefined, tag: TagName): string | undefined {
  const found = parent === undefined ? undefined : child(parent, tag);
  return found === undefined ? undefined : textOf(found);
}

export function elements(parent: Element | undefined): readonly Element[] {
  return parent?.content.filter(isElement) ?? [];
}

function isElement(part: Content): part is Element {
  return typeof part === "object" && !(part instanceof Uint8Array);
}

export function answerDocument(tag: TagName, ...parts: readonly Part[]): Answer {
  return { kind: "document", root: element(tag, ...parts) };
}

// MS-ASCMD 2.2.2: up to 12.1 a command cannot carry these numbers, and an HTTP status stands for each.
const httpStatusOf: ReadonlyMap<number, number> = new Map([
  [101, 400],
  [103, 400],
  [110, 500],
  [111, 503],
  [113, 507],
  [118, 409],
  [137, 501],
  [138, 400],
  [142, 449],
  [143, 449],
  [144, 449],
  [150, 404],
]);

/** One of the numbers above 100 that every command may answer. */
export function commonStatus(request: PhoneRequest, root: TagName, statusTag: TagName, status: number): Answer {
  if (!isSince(request.version, "14.0")) return { kind: "http", httpStatus: httpStatusOf.get(status) ?? 400 };
  return answerDocument(root, element(statusTag, String(status)));
}
