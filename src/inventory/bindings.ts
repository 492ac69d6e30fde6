/** What people say about whose an id at the gate is: operators, and owners as far as the configuration lets them. */
import { accountKey, atHome, parsePerson, samePerson } from "../policy/person.ts";
import type { Person } from "../policy/person.ts";
import { toDeviceId } from "../policy/device.ts";
import type { DeviceId } from "../policy/device.ts";
import type { DocumentStore } from "../store/documents.ts";
import { bindingDocument, bindingOf, decodeBinding, isSameKey } from "./binding-document.ts";
import type { BindingState, Claim } from "./binding-document.ts";
import { accountOf, peopleOf } from "./join.ts";
import { encodeManaged, managedDocument } from "./managed-document.ts";
import type { Binding, ManagedDevice } from "./managed.ts";
import type { ManagedKey } from "./report.ts";
import { CLAIMS_LIMIT, readManaged, settleClaims, writeManaged } from "./settle.ts";
import type { SettleContext } from "./settle.ts";
import { actOnView } from "./stored-view.ts";
import type { StoredView } from "./stored-view.ts";
import { putBinding } from "./written-record.ts";

export interface BindingsDeps {
  readonly store: Pick<DocumentStore, "transact" | "documents" | "readDocuments">;
  /** See `IntakeDeps`. */
  readonly appIds: () => readonly string[];
  readonly homeDomains: readonly string[];
  readonly ownerRequired: boolean;
  readonly now: () => Date;
}

/** An id at the gate that somebody has claimed. */
export interface BoundId {
  readonly id: DeviceId;
  /** Undefined: it belongs to nobody any more. */
  readonly binding: Binding | undefined;
  /** Why it counts for nobody, where it does not. */
  readonly problem: BindingState["problem"];
  readonly claims: readonly Claim[];
}

export interface BindOrder extends ManagedKey {
  readonly id: DeviceId;
  readonly how: "operator" | "self" | "owner";
  readonly by: string;
  /** Accounts from whom the id is taken, each said explicitly. */
  readonly takenFrom?: readonly string[];
}

export type BindOutcome =
  | { readonly kind: "bound"; readonly problem: BindingState["problem"]; readonly account: string }
  | { readonly kind: "no-such-device" }
  | { readonly kind: "not-enrolled" }
  /** It is these people's by what is known, and nobody has said that it is to be taken from them. */
  | { readonly kind: "of-others"; readonly accounts: readonly string[] }
  /** Only operators bind what is bound already. */
  | { readonly kind: "taken" }
  | { readonly kind: "too-many-claims" };

export interface Bindings {
  /** @throws StoreUnavailable */
  read(id: DeviceId): Promise<BoundId | undefined>;
  /** All of them, in no order. @throws StoreUnavailable */
  list(): AsyncIterable<BoundId>;
  /** @throws StoreUnavailable */
  bind(order: BindOrder): Promise<BindOutcome>;
  /**
   * The id is nobody's from now on: not that of whom people named, and not that of the devices whose sources name it now. False where
   * nobody claims it. @throws StoreUnavailable
   */
  unbind(id: DeviceId): Promise<boolean>;
}

export function createBindings(deps: BindingsDeps): Bindings {
  const { store, homeDomains, ownerRequired } = deps;
  const context = (): SettleContext => ({
    now: deps.now(),
    appIds: new Set(deps.appIds()),
    homeDomains,
    ownerRequired,
    under: "",
    decoded: new WeakMap(),
  });
  const keysOf = (id: DeviceId) => [bindingDocument(id), { kind: "device", id }, { kind: "alias", id }] as const;

  return {
    read: async (id) => {
      const [fields] = await store.readDocuments([bindingDocument(id)]);
      return fields === undefined ? undefined : boundId(id, decodeBinding(fields));
    },
    async *list() {
      for await (const [name, fields] of store.documents("binding", "")) {
        const id = toDeviceId(name);
        if (id !== undefined) yield boundId(id, decodeBinding(fields));
      }
    },
    bind: async (order) =>
      actOnView(store, [...keysOf(order.id), managedDocument(order)], (view) => bind(view, order, context())),
    unbind: async (id) => actOnView(store, keysOf(id), (view) => unbind(view, id, context())),
  };
}

export function boundId(id: DeviceId, state: BindingState): BoundId {
  return { id, binding: bindingOf(id, state), problem: state.problem, claims: state.claims };
}

function bind(view: StoredView, order: BindOrder, context: SettleContext): BindOutcome {
  const { id, how, by, takenFrom = [] } = order;
  const device = readManaged(view, order, context);
  if (device === undefined) return { kind: "no-such-device" };
  if (!device.report.enrolled) return { kind: "not-enrolled" };
  const before = decodeBinding(view.read(bindingDocument(id)));
  const record = view.read({ kind: "device", id });
  const alias = view.read({ kind: "alias", id });
  const wasTouched = before.claims.length > 0 || before.vetoed.length > 0;
  if (how !== "operator" && (wasTouched || record !== undefined || alias !== undefined)) return { kind: "taken" };
  const others = othersAccounts(view, before, record, device, context);
  const unsaid = others.filter((account) => !takenFrom.some((name) => isName(name, account, context.homeDomains)));
  if (unsaid.length > 0) return { kind: "of-others", accounts: unsaid };
  const kept = before.claims.filter(
    (claim) => claim.how !== "operator" && !(isSameKey(claim, device) && claim.how === how),
  );
  if (kept.length >= CLAIMS_LIMIT) return { kind: "too-many-claims" };
  const claim: Claim = {
    source: device.source,
    sourceDeviceId: device.sourceDeviceId,
    how,
    spelling: id,
    at: context.now,
    account: accountOf(device, context.homeDomains),
    by,
    over:
      how === "operator"
        ? kept.map((each) => managedDocument(each).name).filter((name) => name !== managedDocument(device).name)
        : [],
  };
  for (const former of before.claims) if (former.how === "operator") removeBound(view, former, id, context);
  setBound(view, device, [...new Set([...device.memory.bound, id])], context);
  putBinding(view, id, { ...before, vetoed: [], claims: [...kept, claim] });
  settleClaims(view, id, before, context);
  const { problem, account } = decodeBinding(view.read(bindingDocument(id)));
  return { kind: "bound", problem, account };
}

function unbind(view: StoredView, id: DeviceId, context: SettleContext): boolean {
  const before = decodeBinding(view.read(bindingDocument(id)));
  const kept = before.claims.filter(({ how }) => how === "mdm" || how === "managed-config");
  // What an operator takes back from an owner stays taken back.
  const denied = before.claims.filter(({ how }) => how !== "operator");
  const vetoed = [...new Set([...before.vetoed, ...denied.map((claim) => managedDocument(claim).name)])];
  if (before.holder === undefined && kept.length === before.claims.length && vetoed.length === before.vetoed.length)
    return false;
  for (const claim of before.claims) if (!kept.includes(claim)) removeBound(view, claim, id, context);
  putBinding(view, id, { ...before, claims: kept, vetoed });
  settleClaims(view, id, before, context);
  return true;
}

function removeBound(view: StoredView, key: ManagedKey, id: DeviceId, context: SettleContext): void {
  const device = readManaged(view, key, context);
  if (device !== undefined)
    setBound(
      view,
      device,
      device.memory.bound.filter((each) => each !== id),
      context,
    );
}

function setBound(view: StoredView, device: ManagedDevice, bound: readonly DeviceId[], context: SettleContext): void {
  const changed = { ...device, memory: { ...device.memory, bound: bound.toSorted() } };
  writeManaged(view, changed, encodeManaged(changed), context);
}

/** Everybody whose phone it is by what is known, but for the owner of this device. */
function othersAccounts(
  view: StoredView,
  { claims }: BindingState,
  record: ReadonlyMap<string, string> | undefined,
  device: ManagedDevice,
  context: SettleContext,
): readonly string[] {
  const { homeDomains } = context;
  const claimed = claims.flatMap((claim) => {
    const other = readManaged(view, claim, context);
    return other === undefined ? [] : peopleOf(other).slice(0, 1);
  });
  const written = ["owner", "email"].flatMap((field): Person | [] => parsePerson(record?.get(field) ?? "") ?? []);
  const own = peopleOf(device);
  const others = [...claimed, ...written].filter((person) => !own.some((each) => isSame(each, person, homeDomains)));
  return [...new Set(others.map((person) => accountKey(person, homeDomains)))];
}

function isName(name: string, account: string, homeDomains: readonly string[]): boolean {
  const [said, known] = [parsePerson(name), parsePerson(account)];
  return said !== undefined && known !== undefined && isSame(said, known, homeDomains);
}

function isSame(a: Person, b: Person, homeDomains: readonly string[]): boolean {
  return samePerson(atHome(a, homeDomains), atHome(b, homeDomains));
}
