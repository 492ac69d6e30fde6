/**
 * How long a phone usually takes to report anew when its management system is told to ask it: estimates, shown as such and never promised.
 * Every node must know them, also those that speak with no system.
 */
import type { ConnectorConfig } from "../config/config.ts";
import type { ConnectorAbilities } from "../inventory/connector.ts";

export const refreshTimes = {
  appleMdm: { usualSeconds: [2, 20], unlockFirst: true },
  intune: { usualSeconds: [60, 900], unlockFirst: false },
  jamf: { usualSeconds: [10, 90], unlockFirst: true },
  workspaceOne: { usualSeconds: [10, 90], unlockFirst: true },
  fleet: { usualSeconds: [60, 3600], unlockFirst: true },
} as const satisfies Readonly<Record<string, NonNullable<ConnectorAbilities["refresh"]>>>;

/** Undefined where it cannot be hurried. */
export function refreshOf(config: ConnectorConfig): ConnectorAbilities["refresh"] {
  switch (config.kind) {
    case "nanomdm":
    case "micromdm":
      return refreshTimes.appleMdm;
    case "intune":
      return refreshTimes.intune;
    case "jamf":
      return refreshTimes.jamf;
    case "workspace-one":
      return refreshTimes.workspaceOne;
    case "fleet":
      return config.premium ? refreshTimes.fleet : undefined;
    case "push":
    case "android-management":
      return undefined;
  }
}
