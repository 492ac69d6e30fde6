/** Reads that are under way: callers who want the same share one, and a change that comes meanwhile makes it read again. */
import type { DeviceId } from "../policy/device.ts";
import { StoreUnavailable } from "./store.ts";

interface Flight {
  /** The answer turned out to depend on one more id. To be said before that id is read. */
  readonly dependOn: (id: DeviceId) => void;
  /** Something that the answer depends on changed since this reading began. */
  readonly isStale: () => boolean;
}

export interface Flights<T> {
  /** Waits for the read under way for this key, or begins one. Rejects at the deadline, whatever the read does. */
  join(key: string, ids: readonly DeviceId[], read: (flight: Flight) => Promise<T>): Promise<T>;
  /** From now on nobody joins a read that may have seen the id as it was. */
  outdate(id: DeviceId): void;
  outdateAll(): void;
  withinDeadline<U>(work: Promise<U>): Promise<U>;
}

/** A device that changes faster than it can be read is answered as it was read last; the next change is told again. */
const READ_ATTEMPTS = 3;

interface Airborne {
  readonly key: string;
  readonly ids: Set<DeviceId>;
  isStale: boolean;
}

export function createFlights<T>(deadlineMs: number): Flights<T> {
  const joinable = new Map<string, { readonly flight: Airborne; readonly answer: Promise<T> }>();
  const byId = new Map<DeviceId, Set<Airborne>>();

  function join(key: string, ids: readonly DeviceId[], read: (flight: Flight) => Promise<T>): Promise<T> {
    const underWay = joinable.get(key);
    if (underWay !== undefined) return underWay.answer;

    const flight: Airborne = { key, ids: new Set(), isStale: false };
    for (const id of ids) depend(flight, id);
    const answer = withinDeadline(land(flight, read)).finally(() => close(flight));
    joinable.set(key, { flight, answer });
    return answer;
  }

  /** Changes are heeded until the read itself has ended, even where its callers gave up before. */
  async function land(flight: Airborne, read: (flight: Flight) => Promise<T>): Promise<T> {
    const view: Flight = { dependOn: (id) => depend(flight, id), isStale: () => flight.isStale };
    try {
      for (let attempt = 1; ; attempt++) {
        flight.isStale = false;
        const result = await read(view);
        if (!flight.isStale || attempt === READ_ATTEMPTS) return result;
      }
    } finally {
      for (const id of flight.ids) {
        const flights = byId.get(id);
        flights?.delete(flight);
        if (flights?.size === 0) byId.delete(id);
      }
    }
  }

  function depend(flight: Airborne, id: DeviceId): void {
    flight.ids.add(id);
    byId.set(id, (byId.get(id) ?? new Set()).add(flight));
  }

  function close(flight: Airborne): void {
    if (joinable.get(flight.key)?.flight === flight) joinable.delete(flight.key);
  }

  function outdateFlight(flight: Airborne): void {
    flight.isStale = true;
    close(flight);
  }

  function withinDeadline<U>(work: Promise<U>): Promise<U> {
    const { promise, resolve, reject } = Promise.withResolvers<U>();
    const timer = setTimeout(
      () => reject(new StoreUnavailable(new Error(`no answer in ${deadlineMs} ms`))),
      deadlineMs,
    );
    work.then(resolve, reject).finally(() => clearTimeout(timer));
    return promise;
  }

  return {
    join,
    outdate(id): void {
      for (const flight of byId.get(id) ?? []) outdateFlight(flight);
    },
    outdateAll(): void {
      for (const flights of byId.values()) for (const flight of flights) outdateFlight(flight);
    },
    withinDeadline,
  };
}
