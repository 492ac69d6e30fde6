/**
 * What owners say about ids at the gate that no source knows: "this is my managed phone". Such a word comes from a page that is opened by a
 * link, so it counts only where the mail server has accepted the credential of the link's account from that id.
 */
import type { DeviceId } from "../policy/device.ts";
import type { Store } from "../store/store.ts";
import type { DocumentKey } from "../store/documents.ts";
import type { Bindings } from "./bindings.ts";
import type { ManagedDevice } from "./managed.ts";
import { dateOf } from "./stored-json.ts";
import type { JoinSettings, Stranger, Strangers } from "./strangers.ts";

/** 30 days, as long as a stranger is remembered. */
const REGISTRATION_TTL_MS = 30 * 86_400_000;

/** For whom a page is: the id, and a way to tell whether a person is the one. */
interface Claimant {
  readonly device: DeviceId;
  readonly isFor: (account: string) => boolean;
}

export type Registration =
  /** It is not for this person to say anything about this id. */
  | { readonly kind: "none" }
  /** It can be this one phone of theirs. */
  | { readonly kind: "one"; readonly phone: ManagedDevice; readonly needsOperator: boolean }
  /** Only an operator can tell which. */
  | { readonly kind: "several" }
  | { readonly kind: "no-phone" }
  /** Said already; an operator has to agree. */
  | { readonly kind: "waiting" };

export type RegistrationResult = "bound" | "noted" | "of-no-use";

export interface Registrations {
  /** What a person may say. @throws StoreUnavailable */
  look(claimant: Claimant): Promise<Registration>;
  /** A person says that it is theirs. @throws StoreUnavailable */
  register(claimant: Claimant): Promise<RegistrationResult>;
}

/** What a person has said. */
export interface Wish {
  readonly account: string;
  readonly at: Date;
}

export interface RegistrationsDeps {
  readonly store: Pick<Store, "lastRequests" | "readDocuments" | "transact">;
  readonly strangers: Pick<Strangers, "look" | "considerStranger">;
  readonly bindings: Pick<Bindings, "read">;
  readonly selfRegistration: JoinSettings["selfRegistration"];
  readonly now: () => Date;
}

export function createRegistrations(deps: RegistrationsDeps): Registrations {
  const { store, strangers, bindings, selfRegistration, now } = deps;

  /** The id as it came with a credential of this person. Anybody may try an id; only what the mail server has accepted counts. */
  async function strangerOf({ device, isFor }: Claimant): Promise<Stranger | undefined> {
    if (selfRegistration === "off") return undefined;
    const requests = await store.lastRequests([device]);
    const own = requests.find(({ whose, account }) => whose === "stranger" && account !== "" && isFor(account));
    if (own === undefined) return undefined;
    // Whatever anybody has said about the id before, and an operator's "no", is not for its owner to change.
    return (await bindings.read(own.id)) === undefined ? own : undefined;
  }

  return {
    async look(claimant): Promise<Registration> {
      const stranger = await strangerOf(claimant);
      if (stranger === undefined) return { kind: "none" };
      const wish = await readWish(store, stranger.id);
      if (wish?.account === stranger.account) return { kind: "waiting" };
      const decision = await strangers.look(stranger);
      if (decision.kind === "bound") return { kind: "none" };
      if (decision.kind === "refuse") return { kind: decision.why === "no-phone" ? "no-phone" : "none" };
      const [phone, ...others] = decision.kind === "ask" ? decision.devices : [decision.device];
      if (phone === undefined || others.length > 0) return { kind: "several" };
      return { kind: "one", phone, needsOperator: decision.kind === "ask" && selfRegistration === "approve" };
    },

    async register(claimant): Promise<RegistrationResult> {
      const stranger = await strangerOf(claimant);
      if (stranger === undefined) return "of-no-use";
      const decision = await strangers.considerStranger(stranger, true);
      if (decision.kind === "ask") {
        await noteWish(store, stranger, now());
        return "noted";
      }
      return decision.kind === "bound" && "account" in decision ? "bound" : "of-no-use";
    },
  };
}

/** What the owner has said about an id, for the operator's list. @throws StoreUnavailable */
export async function readWish(store: Pick<Store, "readDocuments">, id: DeviceId): Promise<Wish | undefined> {
  const [fields] = await store.readDocuments([wishDocument(id)]);
  const at = dateOf(fields?.get("at"));
  const account = fields?.get("account");
  return at === undefined || account === undefined ? undefined : { account, at };
}

/** Said twice, it was said when it was said first; of two people, the later one's word is kept. */
async function noteWish(store: Pick<Store, "transact">, { id, account }: Stranger, at: Date): Promise<void> {
  const key = wishDocument(id);
  await store.transact([key], ([fields]) => {
    if (fields?.get("account") === account) return { changes: [], result: undefined };
    const set = new Map([
      ["account", account],
      ["at", at.toISOString()],
    ]);
    return { changes: [{ key, set, remove: "everything", ttlMs: REGISTRATION_TTL_MS }], result: undefined };
  });
}

function wishDocument(id: DeviceId): DocumentKey {
  return { kind: "registration", name: id };
}
