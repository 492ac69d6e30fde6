/** What an answer needs to know of one phone's mailbox as the gate shows it: whose it is, what it says, in which words. */
import type { Person } from "../policy/person.ts";
import type { Decision, Remediation } from "../gateway/protocol.ts";
import type { MailboxState, NoticeRevision } from "../store/store.ts";
import type { Notice } from "../notice/notice.ts";
import { inboxNamed, looksLikeMail } from "./folders.ts";
import { REVISION_LIMIT } from "./gateway-key.ts";
import type { GatewayKeys } from "./gateway-key.ts";
import { mayWantMime } from "./body-wish.ts";
import { composeNotice } from "./notice-mime.ts";
import { collectionsOf, idOf } from "./quarantine-sync.ts";
import type { VersionFeatures } from "./version.ts";
import type { Element } from "./wbxml.ts";

/** One phone's mailbox at one moment. */
export interface MailboxView {
  readonly account: string;
  readonly device: string;
  readonly state: MailboxState;
  readonly keys: GatewayKeys;
  readonly features: VersionFeatures;
  readonly notice: Notice;
  readonly mime: string | undefined;
  readonly revision: NoticeRevision;
  readonly to: string;
}

export interface ViewOptions {
  readonly decision: Decision;
  readonly context: Remediation;
  readonly request: Element;
  readonly person: Person | undefined;
  readonly keys: GatewayKeys;
  readonly features: VersionFeatures;
  /** How long one revision stays, as long as its words do. */
  readonly revisionAgeMs: number;
}

/** In quarantine the notice comes anew each day, so that one that was deleted is back. */
export const QUARANTINE_REVISION_MS = 86_400_000;

/**
 * A new revision is written down before it is shown, so that every node shows the same. One that is not shown is not: two
 * requests that wait, on nodes that word the notice differently, would wake each other for ever.
 */
export async function viewMailbox(options: ViewOptions): Promise<MailboxView> {
  const { decision, context, request, person, keys, features, revisionAgeMs } = options;
  const { device, notice } = decision;
  if (device === undefined || notice === undefined)
    throw new Error("a phone that is told something has a device and a notice");
  const revision = currentRevision(device.mailbox.notice, notice, revisionAgeMs, context.now);
  if (revision !== device.mailbox.notice && mayShow(request, device.mailbox))
    await context.remember({ notice: revision });
  const to = addressee(person, device.account);
  const mime = mayWantMime(request) ? await composeNotice(notice, to, revision.at) : undefined;
  return {
    account: device.account,
    device: device.id,
    state: device.mailbox,
    keys,
    features,
    notice,
    mime,
    revision,
    to,
  };
}

/** To whom the notice is: an account name where there is no address. */
export function addressee(person: Person | undefined, account: string): string {
  if (person === undefined) return account;
  return person.domain === undefined ? person.account : `${person.account}@${person.domain}`;
}

/** Every command but a Sync that leaves out the Inbox. */
function mayShow(request: Element, mailbox: MailboxState): boolean {
  if (request.tag !== "AirSync:Sync") return true;
  const collections = collectionsOf(request);
  const inbox = inboxNamed(mailbox);
  if (inbox !== undefined) return collections.some((collection) => idOf(collection) === inbox);
  return collections.some((collection) => looksLikeMail(collection, mailbox));
}

/** A new revision when there is something else to say, or another language, or when the one before is older than it may be. */
export function currentRevision(
  known: NoticeRevision | undefined,
  { digest, language }: Pick<Notice, "digest" | "language">,
  ageMs: number,
  now: Date,
): NoticeRevision {
  if (known === undefined) return { revision: 1, digest, language, at: now };
  const isSame = known.digest === digest && (known.language ?? language) === language;
  if (isSame && now.getTime() - known.at.getTime() < ageMs) return known;
  return { revision: (known.revision % REVISION_LIMIT) + 1, digest, language, at: now };
}
