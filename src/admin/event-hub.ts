/** What happens on this node, for operators who watch: a new policy, the store's health, a guard that tripped. */

export type AdminEvent =
  | { readonly kind: "policy"; readonly version: number | undefined }
  | { readonly kind: "policy-problem"; readonly detail: string }
  | { readonly kind: "store"; readonly state: string; readonly detail: string }
  | {
      readonly kind: "guard-tripped";
      readonly campaign: string;
      readonly cut: number;
      readonly limit: number;
      /** Undefined: it could not be paused, because it stands in the configuration file. */
      readonly pausedVersion: number | undefined;
    };

export interface EventHub {
  publish(event: AdminEvent): void;
  /** Undefined where as many listen as may. Returns the way to stop. */
  listen(listener: (event: AdminEvent) => void): (() => void) | undefined;
}

/** Each is a connection and a little memory; dashboards are opened by people. */
const LISTENERS_LIMIT = 50;

export function createEventHub(): EventHub {
  const listeners = new Set<(event: AdminEvent) => void>();
  return {
    publish(event): void {
      for (const listener of listeners) listener(event);
    },
    listen(listener): (() => void) | undefined {
      if (listeners.size >= LISTENERS_LIMIT) return undefined;
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
