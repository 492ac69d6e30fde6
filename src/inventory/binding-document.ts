/** Who claims an id at the gate, and what was made of it: a document of the store for each id. */
import { toDeviceId } from "../policy/device.ts";
import type { DeviceId } from "../policy/device.ts";
import type { DocumentKey, Fields } from "../store/documents.ts";
import { isJsonObject } from "../store/field-values.ts";
import { bindingKinds } from "./managed.ts";
import type { Binding, BindingKind } from "./managed.ts";
import type { ManagedKey } from "./report.ts";
import { dateOf, listIn, listOf, objectIn, textOf, textsOf } from "./stored-json.ts";

/** That an id belongs to a managed device, as somebody says. */
export interface Claim extends ManagedKey {
  readonly how: BindingKind;
  /** As the source spells the id. */
  readonly spelling: string;
  /** When it was first said here. */
  readonly at: Date;
  /** Whose phone it was meant to be, for what people said; "" otherwise. */
  readonly account: string;
  readonly by: string | undefined;
  /** Names of the managed devices whose claims were there when an operator decided: against them the decision holds. */
  readonly over: readonly string[];
}

/** What was made of the claims: the same claims always make the same. */
export interface Settlement {
  readonly holder: ManagedKey | undefined;
  /** The owner's account, lower-case; "" where nobody is named. */
  readonly account: string;
  readonly contestedBy: readonly ManagedKey[];
  /** Why it counts for nobody, where it does not though it has a holder. */
  readonly problem: "two-people" | "letter-case" | "alias-by-hand" | "no-owner" | undefined;
}

export interface BindingState extends Settlement {
  readonly claims: readonly Claim[];
  /** Names of managed devices whose source is wrong about this id, as an operator has said. */
  readonly vetoed: readonly string[];
  /** Fields of the record of this id that were written for its holder. */
  readonly wrote: readonly string[];
  /** The id whose record this one was made an alias of. */
  readonly target: DeviceId | undefined;
}

const unbound: BindingState = {
  claims: [],
  vetoed: [],
  holder: undefined,
  account: "",
  contestedBy: [],
  problem: undefined,
  wrote: [],
  target: undefined,
};

export function bindingDocument(id: DeviceId): DocumentKey {
  return { kind: "binding", name: id };
}

export function encodeBinding(state: BindingState): Fields {
  const { claims, vetoed, holder, account, contestedBy, problem, wrote, target } = state;
  const fields = new Map<string, string>();
  if (claims.length > 0) fields.set("claims", JSON.stringify(claims));
  if (vetoed.length > 0) fields.set("vetoed", JSON.stringify(vetoed));
  if (holder !== undefined) fields.set("holder", JSON.stringify({ ...onlyKey(holder), account }));
  if (contestedBy.length > 0) fields.set("contestedBy", JSON.stringify(contestedBy.map(onlyKey)));
  if (problem !== undefined) fields.set("problem", problem);
  if (wrote.length > 0) fields.set("wrote", JSON.stringify(wrote));
  if (target !== undefined) fields.set("target", target);
  return fields;
}

const problems = ["two-people", "letter-case", "alias-by-hand", "no-owner"] as const;

/** An act reads the same one several times. */
const decoded = new WeakMap<Fields, BindingState>();

export function decodeBinding(fields: Fields | undefined): BindingState {
  if (fields === undefined) return unbound;
  const known = decoded.get(fields);
  if (known !== undefined) return known;
  const state = readBinding(fields);
  decoded.set(fields, state);
  return state;
}

function readBinding(fields: Fields): BindingState {
  const holder = objectIn(fields.get("holder"));
  return {
    claims: listIn(fields.get("claims")).flatMap((value) => claimOf(value) ?? []),
    vetoed: textsOf(listIn(fields.get("vetoed"))),
    holder: keyOf(holder),
    account: textOf(holder["account"]) ?? "",
    contestedBy: listIn(fields.get("contestedBy")).flatMap((value) => keyOf(value) ?? []),
    problem: problems.find((each) => each === fields.get("problem")),
    wrote: textsOf(listIn(fields.get("wrote"))),
    target: toDeviceId(fields.get("target") ?? ""),
  };
}

/** As others see it; undefined where the id belongs to no managed device. */
export function bindingOf(
  easDeviceId: DeviceId,
  { claims, holder, account, contestedBy }: BindingState,
): Binding | undefined {
  const claim = holder && strongest(claims.filter((each) => isSameKey(each, holder)));
  if (holder === undefined || claim === undefined) return undefined;
  const { how, at, by } = claim;
  return { ...onlyKey(holder), easDeviceId, how, account, at, by, contestedBy };
}

function strongest(claims: readonly Claim[]): Claim | undefined {
  return claims.toSorted((a, b) => rankOf(a.how) - rankOf(b.how))[0];
}

export function rankOf(how: BindingKind): number {
  return bindingKinds.indexOf(how);
}

export function isSameKey(a: ManagedKey, b: ManagedKey): boolean {
  return a.source === b.source && a.sourceDeviceId === b.sourceDeviceId;
}

function onlyKey({ source, sourceDeviceId }: ManagedKey): ManagedKey {
  return { source, sourceDeviceId };
}

function keyOf(value: unknown): ManagedKey | undefined {
  if (!isJsonObject(value)) return undefined;
  const { source, sourceDeviceId } = value;
  return typeof source === "string" && typeof sourceDeviceId === "string" ? { source, sourceDeviceId } : undefined;
}

function claimOf(value: unknown): Claim | undefined {
  const key = keyOf(value);
  if (key === undefined || !isJsonObject(value)) return undefined;
  const how = bindingKinds.find((each) => each === value["how"]);
  const at = dateOf(value["at"]);
  if (how === undefined || at === undefined) return undefined;
  return {
    ...key,
    how,
    spelling: textOf(value["spelling"]) ?? "",
    at,
    account: textOf(value["account"]) ?? "",
    by: textOf(value["by"]),
    over: textsOf(listOf(value["over"])),
  };
}
