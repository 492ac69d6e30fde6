/** Phones that were at the gate, and counts of what was decided about them: the same over any backend. */
import { toDeviceId } from "../policy/device.ts";
import type { Backend } from "./backend.ts";
import type { Sighting, TrafficStore } from "./store.ts";

/** 2 h: a preview asks for the last hour, and clocks of nodes differ. */
const SEEN_LIMIT_MS = 7_200_000;
/** 1 000 000: as many phones as a preview is made for; the ones that were seen longest ago go first. */
const SEEN_LIMIT = 1_000_000;
/** 90 days: longer than a campaign looks on before it is enforced. */
export const TALLY_TTL_SECONDS = 7_776_000;
/** A day, in case that no phone comes any more: what is older than SEEN_LIMIT_MS goes with each write. */
export const SEEN_TTL_SECONDS = 86_400;
/** 400 days: a preview is evidence of what was known before a decision. */
export const PREVIEW_TTL_SECONDS = 34_560_000;
/** 1 MiB: four times what a preview has when each of its lists is full. */
export const PREVIEW_LIMIT_BYTES = 1_048_576;

export function trafficOf(backend: Backend, now: () => Date): TrafficStore {
  return {
    async noteSightings(sightings): Promise<void> {
      if (sightings.length === 0) return;
      const members = new Map(sightings.map(({ id, account, at }) => [`${id} ${account}`, at.getTime()]));
      await backend.noteSeen(members, now().getTime() - SEEN_LIMIT_MS, SEEN_LIMIT);
    },
    async *sightings(since): AsyncGenerator<Sighting> {
      for await (const page of backend.seen(since.getTime())) {
        for (const [member, atMs] of page) {
          const space = member.indexOf(" ");
          const id = toDeviceId(member.slice(0, space));
          if (id !== undefined) yield { id, account: member.slice(space + 1), at: new Date(atMs) };
        }
      }
    },
    async addToTallies(additions): Promise<void> {
      if (additions.length > 0) await backend.addToTallies(additions);
    },
    readTallies: async (names) => (names.length === 0 ? [] : backend.readTallies(names)),
    async keepPreview(campaign, text): Promise<void> {
      if (Buffer.byteLength(text) > PREVIEW_LIMIT_BYTES)
        throw new RangeError(`a preview may have ${PREVIEW_LIMIT_BYTES} bytes at most`);
      await backend.keepPreview(campaign, text);
    },
    readPreview: (campaign) => backend.readPreview(campaign),
  };
}
