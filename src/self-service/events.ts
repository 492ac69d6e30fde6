/** What an open page hears: each time that it would say something else, with how far the phone has come. */
import type { PageStream } from "../gateway/own-pages.ts";
import type { Rechecks } from "../inventory/recheck.ts";
import type { DeviceId } from "../policy/device.ts";
import { StoreUnavailable } from "../store/store.ts";
import type { Link } from "./links.ts";
import type { Look, LookAt } from "./look.ts";
import { streamBeginning } from "./streams.ts";

/** Tells of each time that something about these devices, or time itself, may have changed a verdict: as `Sessions.follow`. */
export type Follow = (options: {
  readonly ids: readonly DeviceId[];
  readonly changesAt: Date | undefined;
  readonly waits: boolean;
  readonly onNews: () => void;
}) => { readonly expect: (changesAt: Date | undefined) => void; readonly stop: () => void };

export interface EventsOptions {
  readonly look: LookAt;
  readonly rechecks: Pick<Rechecks, "onChange">;
  readonly follow: Follow;
  readonly onFailure: (cause: unknown) => void;
}

/** 5 s: after a look that the store did not answer. */
const AGAIN_MS = 5_000;

export interface Events {
  /** Tells until the stream ends. */
  tell(link: Link, stream: PageStream): void;
}

export function createEvents({ look, rechecks, follow, onFailure }: EventsOptions): Events {
  return {
    tell(link, stream): void {
      let canonical: DeviceId = link.device;
      let isOver = false;
      let isLooking = false;
      let isNew = false;
      let told: string | undefined;
      let timer: NodeJS.Timeout | undefined;

      const onNews = (): void => {
        isNew = true;
        if (!isLooking) void lookAnew();
      };
      // It waits for news, and is no request of a phone.
      const following = follow({ ids: [link.device], changesAt: undefined, waits: false, onNews });
      const unsubscribe = rechecks.onChange((device) => {
        if (device === undefined || device === link.device || device === canonical) onNews();
      });
      stream.onClose(() => {
        isOver = true;
        clearTimeout(timer);
        following.stop();
        unsubscribe();
      });

      async function lookAnew(): Promise<void> {
        if (isOver) return;
        isLooking = true;
        isNew = false;
        try {
          const seen = await look(link);
          canonical = seen.id;
          following.expect(earliest(seen, link));
          if (seen.at >= link.expiresAt) stream.end();
          else say(seen);
        } catch (error) {
          if (error instanceof StoreUnavailable) timer = setTimeout(onNews, AGAIN_MS);
          else fail(error);
        }
        isLooking = false;
        // What came while it looked may not have been seen.
        if (isNew) await lookAnew();
      }

      /** The browser opens another one. */
      function fail(cause: unknown): void {
        onFailure(cause);
        stream.end();
      }

      function say(seen: Look): void {
        const { stage, end, steps } = seen.standing;
        const event = JSON.stringify({ mark: seen.mark, stage, end, steps: Object.keys(steps) });
        if (event === told) return;
        told = event;
        stream.send(`event: standing\ndata: ${event}\n\n`);
      }

      stream.send(streamBeginning);
      onNews();
    },
  };
}

/** The verdict may change by time alone, the next check may be asked for, and the link ends. */
function earliest({ verdict, standing }: Look, { expiresAt }: Link): Date {
  const moments = [verdict.changesAt, standing.mayAskFrom, expiresAt].flatMap((moment) => moment?.getTime() ?? []);
  return new Date(Math.min(...moments));
}
