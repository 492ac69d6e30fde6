/**
 * Ids at the gate that no source knows. Some mail apps go by ids of their own that no management system learns; whose they are can only
 * be told by whose credential comes with them, which is why nothing is bound by that unless the configuration says so.
 */
import { atHome, parsePerson, samePerson } from "../policy/person.ts";
import type { Person } from "../policy/person.ts";
import type { DeviceId, Platform } from "../policy/device.ts";
import type { DocumentStore } from "../store/documents.ts";
import type { BindOutcome, Bindings } from "./bindings.ts";
import { peopleOf } from "./join.ts";
import { decodeManaged, managedDocument } from "./managed-document.ts";
import type { ManagedDevice } from "./managed.ts";
import { devicesIn, personDocument } from "./owner-index.ts";

/** An id without a record that came with a credential which the mail server accepted. */
export interface Stranger {
  readonly id: DeviceId;
  /** As in `MailboxKey`; empty where the credential names nobody. */
  readonly account: string;
  /** What it calls itself: anybody can choose both. */
  readonly deviceType: string | undefined;
  readonly program: string | undefined;
}

export interface JoinSettings {
  /** What comes of an owner's word about a mail app: nothing, a line on the operator's list, or a binding. */
  readonly selfRegistration: "off" | "approve" | "allow";
  /** Outlook's service makes ids that say nothing of the phone. `owner`: they count as those of the owner's one managed phone. */
  readonly outlookMobile: "refuse" | "owner";
}

export type StrangerDecision =
  | { readonly kind: "bind"; readonly device: ManagedDevice; readonly how: "self" | "owner" }
  /** For the operator to decide; `devices` are the phones that it may be. */
  | { readonly kind: "ask"; readonly devices: readonly ManagedDevice[] }
  | {
      readonly kind: "refuse";
      readonly why: "no-person" | "not-allowed" | "no-phone";
    };

/**
 * @param phones managed devices of the person, un-enrolled ones and computers included
 * @param asked whether the owner has said that it is theirs, from the page
 */
export function bindingForStranger(
  stranger: Stranger,
  phones: readonly ManagedDevice[],
  join: JoinSettings,
  asked: boolean,
): StrangerDecision {
  if (stranger.account === "") return { kind: "refuse", why: "no-person" };
  const isByOwner = isOutlookMobile(stranger) && join.outlookMobile === "owner";
  if (!isByOwner && join.selfRegistration === "off") return { kind: "refuse", why: "not-allowed" };
  const fitting = phones.filter(({ report }) => report.enrolled && fits(stranger, report.platform));
  const [only, ...others] = fitting;
  if (only === undefined) return { kind: "refuse", why: "no-phone" };
  if (others.length > 0) return { kind: "ask", devices: fitting };
  if (isByOwner) return { kind: "bind", device: only, how: "owner" };
  return asked && join.selfRegistration === "allow"
    ? { kind: "bind", device: only, how: "self" }
    : { kind: "ask", devices: fitting };
}

/** Outlook for iOS and Android, by either of the names that it gives itself. */
function isOutlookMobile({ deviceType, program }: Pick<Stranger, "deviceType" | "program">): boolean {
  return deviceType?.toLowerCase() === "outlook" || program?.toLowerCase().startsWith("outlook-ios-android") === true;
}

const phonePlatforms: ReadonlySet<Platform | undefined> = new Set(["ios", "ipados", "android"]);

/** Whether the phone can be one of this platform, by what it calls itself. What says nothing can be any phone or tablet. */
function fits({ deviceType = "", program = "" }: Stranger, platform: Platform | undefined): boolean {
  if (platform !== undefined && !phonePlatforms.has(platform)) return false;
  if (platform === undefined || isOutlookMobile({ deviceType, program })) return true;
  const words = `${deviceType} ${program}`.toLowerCase();
  if (/iphone|ipod|ipad|apple-/.test(words)) return platform === "ios" || platform === "ipados";
  if (/android|samsung|pixel|huawei|xiaomi/.test(words)) return platform === "android";
  return true;
}

export interface StrangersDeps {
  readonly store: Pick<DocumentStore, "readDocuments">;
  readonly bindings: Pick<Bindings, "bind" | "read">;
  readonly join: JoinSettings;
  readonly homeDomains: readonly string[];
}

export interface Strangers {
  /** What would come of it, without doing it. @throws StoreUnavailable */
  look(stranger: Stranger): Promise<StrangerDecision | { readonly kind: "bound" }>;
  /**
   * What the node that joins does about an id that was seen at a gate and has no record. @param asked whether its owner has said that
   * it is theirs. @throws StoreUnavailable
   */
  considerStranger(
    stranger: Stranger,
    asked?: boolean,
  ): Promise<StrangerDecision | { readonly kind: "bound" } | BindOutcome>;
}

export function createStrangers({ store, bindings, join, homeDomains }: StrangersDeps): Strangers {
  async function phonesOf(account: string): Promise<readonly ManagedDevice[]> {
    const person = parsePerson(account);
    if (person === undefined) return [];
    const [index] = await store.readDocuments([personDocument(person.account)]);
    const keys = devicesIn(index);
    const stored = await store.readDocuments(keys.map(managedDocument));
    return keys.flatMap((key, place) => {
      const device = decodeManaged(key, stored[place], new Set());
      return device !== undefined && isOwner(device, person, homeDomains) ? [device] : [];
    });
  }

  async function decide(stranger: Stranger, asked: boolean): Promise<StrangerDecision | { readonly kind: "bound" }> {
    const bound = await bindings.read(stranger.id);
    if (bound?.binding !== undefined) return { kind: "bound" };
    // Without asking the store where nothing can come of it: this is asked about everybody who tries an id.
    const first = bindingForStranger(stranger, [], join, asked);
    if (first.kind === "refuse" && first.why !== "no-phone") return first;
    return bindingForStranger(stranger, await phonesOf(stranger.account), join, asked);
  }

  return {
    look: (stranger) => decide(stranger, false),
    considerStranger: async (stranger, asked = false) => {
      const decision = await decide(stranger, asked);
      if (decision.kind !== "bind") return decision;
      const { source, sourceDeviceId } = decision.device;
      return bindings.bind({ id: stranger.id, source, sourceDeviceId, how: decision.how, by: stranger.account });
    },
  };
}

function isOwner(device: ManagedDevice, person: Person, homeDomains: readonly string[]): boolean {
  return peopleOf(device).some((each) => samePerson(atHome(each, homeDomains), atHome(person, homeDomains)));
}
