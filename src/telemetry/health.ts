/** Whether this node should get requests, and what it would say of itself. */
import type { StoreHealth } from "../store/store.ts";

export interface Health {
  readonly started: boolean;
  readonly ready: boolean;
  readonly state: "ready" | "degraded" | "not-ready" | "stopping";
  readonly store: StoreHealth["state"];
  readonly detail: string;
}

export interface HealthFacts {
  readonly started: boolean;
  readonly stopping: boolean;
  readonly store: StoreHealth;
  /** Without it nobody can be judged, however well the store answers. */
  readonly policyKnown: boolean;
  /** What is in force may not be what an operator wants: the phones are served, and somebody must look. */
  readonly policyProblem?: string | undefined;
  readonly lastKnownDevices: number;
}

/** A node that has neither the store nor a memory would tell every phone to come back later: another one serves better. */
export function healthOf({ started, stopping, store, ...facts }: HealthFacts): Health {
  const { policyKnown, policyProblem, lastKnownDevices } = facts;
  const common = { started, store: store.state, detail: store.detail || (policyProblem ?? "") };
  if (stopping) return { ...common, ready: false, state: "stopping" };
  if (!started) return { ...common, ready: false, state: "not-ready" };
  if (!policyKnown && lastKnownDevices === 0)
    return { ...common, detail: common.detail || "the policy is not known", ready: false, state: "not-ready" };
  if (store.state === "live" && policyKnown && policyProblem === undefined)
    return { ...common, ready: true, state: "ready" };
  if (store.state !== "down" || lastKnownDevices > 0) return { ...common, ready: true, state: "degraded" };
  return { ...common, ready: false, state: "not-ready" };
}
