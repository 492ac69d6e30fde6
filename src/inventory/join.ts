/** Whose phone an id at the gate is, by all that is said about it. Pure; the same claims always come to the same. */
import { accountKey, atHome, parsePerson, samePerson } from "../policy/person.ts";
import type { Person } from "../policy/person.ts";
import { toDeviceId } from "../policy/device.ts";
import type { DeviceId } from "../policy/device.ts";
import { rankOf } from "./binding-document.ts";
import type { Claim, Settlement } from "./binding-document.ts";
import type { ManagedDevice } from "./managed.ts";
import { managedDocument } from "./managed-document.ts";
import type { ManagedKey } from "./report.ts";

export interface Claimed {
  readonly claim: Claim;
  readonly device: ManagedDevice;
}

export interface Resolution extends Settlement {
  /** The device whose id it is, and behind it others that speak for the same phone: those of other sources. */
  readonly devices: readonly ManagedDevice[];
}

const nobody: Resolution = { holder: undefined, account: "", contestedBy: [], problem: undefined, devices: [] };

/**
 * 1. A device that is managed now comes before one that was; an id that its source names now before one that it named once.
 * 2. An operator's decision holds against every claim that was there when it was made.
 * 3. What devices, management systems and operators say comes before what owners do.
 * 4. Phones of two people: nobody's, until an operator has decided. Two ids of one source that differ in case only: the same.
 * 5. Of one person's phones the one whose claim is stronger, then the one that was enrolled later.
 */
export function resolve(id: DeviceId, claimed: readonly Claimed[], homeDomains: readonly string[]): Resolution {
  const valid = claimed.filter((each) => !isLapsed(each, homeDomains));
  const best = Math.min(...valid.map((each) => tierOf(id, each)));
  const weighed = byDecision(valid.filter((each) => tierOf(id, each) === best));
  const strong = weighed.filter(({ claim }) => rankOf(claim.how) <= rankOf("operator"));
  const pool = onePerDevice(strong.length > 0 ? strong : weighed);
  const ranked = pool.toSorted((a, b) => rankOf(a.claim.how) - rankOf(b.claim.how) || laterFirst(a, b));
  const [leading] = ranked;
  if (leading === undefined) return nobody;
  const problem = problemOf(ranked, homeDomains);
  // Who was there first is not put out by who comes later; neither counts.
  const holder = problem === undefined ? leading : (pool.toSorted(laterFirst).at(-1) ?? leading);
  const others = ranked.filter((each) => each !== holder);
  return {
    holder: keyOf(holder.claim),
    account: accountOf(holder.device, homeDomains),
    problem,
    contestedBy: problem === undefined ? [] : others.map(({ claim }) => keyOf(claim)),
    devices: [holder, ...(problem === undefined ? others : []).filter(isOfAnotherSource(holder))].map(
      ({ device }) => device,
    ),
  };
}

/** What a person said was said about a phone of a certain person: with another owner it says nothing. */
function isLapsed({ claim, device }: Claimed, homeDomains: readonly string[]): boolean {
  if (claim.how === "mdm" || claim.how === "managed-config" || claim.account === "") return false;
  const person = parsePerson(claim.account);
  const owners = peopleOf(device);
  return person !== undefined && owners.length > 0 && !owners.some((owner) => isSame(owner, person, homeDomains));
}

function tierOf(id: DeviceId, { claim, device }: Claimed): number {
  if (!device.report.enrolled) return 2;
  if (claim.how !== "mdm" && claim.how !== "managed-config") return 0;
  return device.memory.ids.current.some((each) => toDeviceId(each) === id) ? 0 : 1;
}

function byDecision(pool: readonly Claimed[]): readonly Claimed[] {
  const decisions = pool.filter(({ claim }) => claim.how === "operator");
  const decision = decisions.toSorted((a, b) => b.claim.at.getTime() - a.claim.at.getTime())[0];
  if (decision === undefined) return pool;
  const over = new Set(decision.claim.over);
  return pool.filter((each) => each === decision || !over.has(managedDocument(each.claim).name));
}

/** The strongest claim of each device. */
function onePerDevice(pool: readonly Claimed[]): readonly Claimed[] {
  const byDevice = new Map<string, Claimed>();
  for (const each of pool.toSorted((a, b) => rankOf(a.claim.how) - rankOf(b.claim.how))) {
    const { name } = managedDocument(each.claim);
    if (!byDevice.has(name)) byDevice.set(name, each);
  }
  return [...byDevice.values()];
}

function problemOf(pool: readonly Claimed[], homeDomains: readonly string[]): Settlement["problem"] {
  for (const [index, a] of pool.entries()) {
    for (const b of pool.slice(index + 1)) {
      if (!mayBeOnePerson(a.device, b.device, homeDomains)) return "two-people";
      // A source that spells two ids in two ways means two ids; two sources may spell one in two ways.
      if (a.claim.source === b.claim.source && a.claim.spelling !== b.claim.spelling) return "letter-case";
    }
  }
  return undefined;
}

/** A device whose owner nobody names may be anybody's. */
function mayBeOnePerson(a: ManagedDevice, b: ManagedDevice, homeDomains: readonly string[]): boolean {
  const [ofA, ofB] = [peopleOf(a), peopleOf(b)];
  return (
    ofA.length === 0 || ofB.length === 0 || ofA.some((one) => ofB.some((other) => isSame(one, other, homeDomains)))
  );
}

export function peopleOf({ report: { owner } }: ManagedDevice): readonly Person[] {
  return [owner?.name, owner?.email].flatMap((name) => (name === undefined ? [] : (parsePerson(name) ?? [])));
}

export function accountOf(device: ManagedDevice, homeDomains: readonly string[]): string {
  const [person] = peopleOf(device);
  return person === undefined ? "" : accountKey(person, homeDomains);
}

function isSame(a: Person, b: Person, homeDomains: readonly string[]): boolean {
  return samePerson(atHome(a, homeDomains), atHome(b, homeDomains));
}

function isOfAnotherSource({ claim: { source } }: Claimed): (other: Claimed) => boolean {
  return ({ claim }) => claim.source !== source;
}

/** By enrolment; where nobody says when that was, by the moment at which the id was first named here. */
function laterFirst(a: Claimed, b: Claimed): number {
  const difference = enrolledAt(b) - enrolledAt(a);
  if (difference !== 0) return difference;
  return managedDocument(a.claim).name < managedDocument(b.claim).name ? -1 : 1;
}

function enrolledAt({ claim, device }: Claimed): number {
  return (device.report.enrolledAt ?? claim.at).getTime();
}

function keyOf({ source, sourceDeviceId }: ManagedKey): ManagedKey {
  return { source, sourceDeviceId };
}
