/**
 * The guard while a campaign is in force: when it comes to cut far more phones than anybody has foreseen, it pauses itself and
 * says so. Each node counts what it cuts into one count of all nodes; whichever sees it exceeded first writes the pause.
 */
import { randomBytes } from "node:crypto";
import type { Campaign } from "../policy/campaign.ts";
import { StoreUnavailable } from "../store/store.ts";
import type { PolicyVersion, TrafficStore } from "../store/store.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { grouped, runtimeLimit } from "./guard.ts";
import { readKeptPreview } from "./kept-preview.ts";
import { idOf, inMode, modeOf, PolicyRefused } from "./ledger.ts";
import type { Ledger } from "./ledger.ts";
import type { LivePolicy, PolicyInForce } from "./live-policy.ts";

export interface Tripped {
  readonly campaign: string;
  readonly cut: number;
  readonly limit: number;
  /** Undefined: it could not be paused, because it stands in the configuration file. */
  readonly paused: PolicyVersion | undefined;
}

export interface WatchOptions {
  readonly livePolicy: Pick<LivePolicy, "current" | "onChange">;
  readonly ledger: Pick<Ledger, "read" | "commit">;
  readonly store: TrafficStore;
  /** The campaign cuts too many phones. Called on the node that has paused it, and where nobody could. */
  readonly onTripped: (tripped: Tripped) => void;
  readonly onFailure: (cause: unknown) => void;
}

export interface CampaignWatch {
  /** The name under which cut phones of this campaign are counted for the guard; undefined where it is not watched. */
  countNameOf(campaign: string): string | undefined;
  /** Looks at these counts again, after something was added to them. Never throws. */
  check(names: Iterable<string>): Promise<void>;
  close(): void;
}

/** A store that is away is back in seconds or in hours. */
const AGAIN_MS = 5_000;

export const GUARD_NAME = "postern guard";

interface Watched {
  readonly campaign: string;
  readonly limit: number;
  readonly name: string;
  /** The version of the policy that says so; undefined: the configuration file. */
  readonly version: number | undefined;
}

export function createWatch({ livePolicy, ledger, store, onTripped, onFailure }: WatchOptions): CampaignWatch {
  let watched = new Map<string, Watched>();
  /** So that what cannot be paused is not shouted about every second. */
  const told = new Set<string>();
  const node = randomBytes(4).toString("hex");
  let round = 0;

  /** Nothing is counted between a new policy and its previews: it would be held against the wrong figure. */
  async function refresh(): Promise<void> {
    round += 1;
    const mine = round;
    watched = new Map();
    const inForce = livePolicy.current();
    if (inForce === undefined) return;
    try {
      const found = await watchedOf(inForce);
      if (mine === round) watched = new Map(found.map((each) => [each.campaign, each]));
    } catch (cause) {
      onFailure(cause);
      // Asked again with the next phones: until then the campaign is in force without its guard.
      if (mine === round && cause instanceof StoreUnavailable) setTimeout(() => void refresh(), AGAIN_MS).unref();
    }
  }

  async function watchedOf({ policy, version }: PolicyInForce): Promise<Watched[]> {
    const found: Watched[] = [];
    for (const campaign of policy.campaigns) {
      if (campaign.mode !== "enforce") continue;
      const each = await watchedCampaign(campaign, version);
      if (each !== undefined) found.push(each);
    }
    return found;
  }

  async function watchedCampaign(campaign: Campaign, version: number | undefined): Promise<Watched | undefined> {
    const fingerprint = fingerprintOf(campaign);
    const kept = await readKeptPreview(store, campaign.id);
    const preview = kept?.fingerprint === fingerprint ? kept : undefined;
    const limit = runtimeLimit(campaign.guard, preview);
    if (limit === undefined) return undefined;
    // A new preview is a new beginning: whoever lets a paused campaign go on has seen what it will cut.
    const epoch = preview === undefined ? "" : `:${Date.parse(preview.at)}`;
    return { campaign: campaign.id, limit, name: `${campaign.id}:${fingerprint}:guard${epoch}`, version };
  }

  async function check(names: Iterable<string>): Promise<void> {
    const asked = new Set(names);
    const looked = [...watched.values()].filter(({ name }) => asked.has(name));
    try {
      const counts = await store.readTallies(looked.map(({ name }) => name));
      for (const [index, each] of looked.entries()) {
        const cut = counts[index]?.subjects ?? 0;
        if (cut > each.limit) await trip(each, cut);
      }
    } catch (cause) {
      onFailure(cause);
    }
  }

  async function trip(each: Watched, cut: number): Promise<void> {
    if (each.version === undefined) {
      if (!told.has(each.name)) onTripped({ campaign: each.campaign, cut, limit: each.limit, paused: undefined });
      told.add(each.name);
      return;
    }
    const paused = await pause(each, cut);
    if (paused !== undefined) onTripped({ campaign: each.campaign, cut, limit: each.limit, paused });
  }

  /** Undefined where it is paused already, or where another version is in force than the one that was counted under. */
  async function pause(
    { campaign, limit, version: countedUnder }: Watched,
    cut: number,
  ): Promise<PolicyVersion | undefined> {
    const { version, written } = await ledger.read();
    // Whoever wrote a newer one may have thought about the guard again.
    if (version !== countedUnder) return undefined;
    const counted = JSON.stringify(written.campaigns.find((each) => idOf(each) === campaign));
    try {
      return await ledger.commit(
        (newest) => {
          const entry = newest.campaigns.find((each) => idOf(each) === campaign);
          if (JSON.stringify(entry) !== counted || modeOf(entry) !== "enforce")
            throw new PolicyRefused("not-changed", "somebody has changed the campaign meanwhile");
          return inMode(campaign, "paused", "pause")(newest);
        },
        {
          // Two nodes that act in the same millisecond write two versions, of which one is refused, and not one twice.
          who: `${GUARD_NAME} ${node}`,
          why: `it has cut ${grouped(cut)} phones, and ${grouped(limit)} were foreseen at most; preview it before it goes on`,
        },
      );
    } catch (cause) {
      if (cause instanceof PolicyRefused) return undefined;
      throw cause;
    }
  }

  const unsubscribe = livePolicy.onChange(() => void refresh());
  void refresh();

  return {
    countNameOf: (campaign) => watched.get(campaign)?.name,
    check,
    close(): void {
      round += 1;
      watched = new Map();
      unsubscribe();
    },
  };
}
