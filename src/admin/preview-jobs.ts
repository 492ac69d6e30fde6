/** Previews that run beside requests, because a million phones take a minute. Any node tells how far one is; one node does the work. */
import { randomBytes } from "node:crypto";
import { keepPreview } from "../campaign/kept-preview.ts";
import { previewFile } from "../campaign/preview-change.ts";
import type { PreviewChangeOptions } from "../campaign/preview-change.ts";
import type { PolicyDocument } from "../config/policy-document.ts";
import type { DocumentKey } from "../store/documents.ts";
import type { Store } from "../store/store.ts";
import type { EndingCrew } from "./policy-acts.ts";
import { Problem } from "./problem.ts";

/** What came of a preview can be asked for so long. */
const RESULT_TTL_MS = 86_400_000;
/** A node that ends half-way is missed after so long. */
const UNDER_WAY_MS = 30_000;
/** At once on one node: each takes all cores. */
const JOBS_LIMIT = 2;
const NOTE_EVERY_MS = 1_000;

interface PreviewJob {
  readonly id: string;
  readonly state: "running" | "done" | "failed";
  readonly campaigns: readonly string[];
  readonly who: string;
  readonly at: string;
  /** 0 to 1. */
  readonly share: number;
  readonly records: number;
  readonly detail?: string | undefined;
  /** One for each campaign. */
  readonly previews?: unknown;
}

export interface PreviewJobsOptions extends Pick<PreviewChangeOptions, "ledger" | "configured"> {
  readonly store: Store;
  readonly important: readonly string[];
  readonly createCrew: () => EndingCrew | undefined;
  readonly now: () => Date;
  readonly onFailure: (cause: unknown) => void;
}

export interface PreviewJobs {
  /** @throws Problem, StoreUnavailable */
  start(added: PolicyDocument, important: readonly string[], who: string): Promise<PreviewJob>;
  /** Undefined where it is over for long, or never was, or its node has ended. */
  find(id: string): Promise<PreviewJob | undefined>;
  /** Ends what is under way here. */
  close(): Promise<void>;
}

export function createPreviewJobs(options: PreviewJobsOptions): PreviewJobs {
  const { store, ledger, configured, createCrew, now, onFailure } = options;
  const running = new Map<string, { readonly done: Promise<void>; readonly end: () => void }>();

  async function start(added: PolicyDocument, important: readonly string[], who: string): Promise<PreviewJob> {
    if (running.size >= JOBS_LIMIT) throw new Problem("busy", { headers: { "Retry-After": "10" } });
    const campaigns = added.campaigns.map(({ id }) => id);
    const job: PreviewJob = {
      id: `p-${randomBytes(8).toString("hex")}`,
      state: "running",
      campaigns,
      who,
      at: now().toISOString(),
      share: 0,
      records: 0,
    };
    // Taken before the first wait: two requests at once are two jobs.
    const ended = Promise.withResolvers<void>();
    const crew = createCrew();
    running.set(job.id, { done: ended.promise, end: () => crew?.end() });
    const leave = (): void => {
      crew?.end();
      running.delete(job.id);
      ended.resolve();
    };
    try {
      if (!(await hold(campaigns, job.id, UNDER_WAY_MS)))
        throw new Problem("conflict", { detail: "one of these campaigns is previewed already" });
      await note(job, UNDER_WAY_MS);
    } catch (error) {
      leave();
      throw error;
    }
    void work(job, added, important, crew).finally(leave);
    return job;
  }

  async function work(
    job: PreviewJob,
    added: PolicyDocument,
    important: readonly string[],
    crew: EndingCrew | undefined,
  ): Promise<void> {
    let latest = job;
    let noting = Promise.resolve();
    const beat = setInterval(() => {
      const told = latest;
      noting = Promise.all([note(told, UNDER_WAY_MS), hold(job.campaigns, job.id, UNDER_WAY_MS)]).then(
        () => undefined,
        onFailure,
      );
    }, NOTE_EVERY_MS);
    let last: PreviewJob;
    try {
      const previews = await previewFile(added, {
        store,
        ledger,
        configured,
        now: now(),
        important: [...options.important, ...important],
        onProgress: (share, records) => (latest = { ...job, share, records }),
        crew,
      });
      for (const preview of previews) await keepPreview(store, preview, job.who);
      last = { ...latest, state: "done", share: 1, previews };
    } catch (cause) {
      onFailure(cause);
      last = { ...latest, state: "failed", detail: "it could not be looked at everything; see the log" };
    }
    clearInterval(beat);
    await noting;
    try {
      await note(last, RESULT_TTL_MS);
      await hold(job.campaigns, job.id, 1);
    } catch (cause) {
      onFailure(cause);
    }
  }

  async function hold(campaigns: readonly string[], holder: string, ms: number): Promise<boolean> {
    for (const campaign of campaigns) if (!(await store.holdLease(`preview:${campaign}`, holder, ms))) return false;
    return true;
  }

  function note(job: PreviewJob, ttlMs: number): Promise<void> {
    const key = keyOf(job.id);
    return store.transact([key], () => ({
      changes: [{ key, set: new Map([["job", JSON.stringify(job)]]), ttlMs }],
      result: undefined,
    }));
  }

  return {
    start,
    async find(id) {
      const [fields] = await store.readDocuments([keyOf(id)]);
      return fields === undefined ? undefined : read(fields.get("job"));
    },
    async close() {
      const all = [...running.values()];
      for (const { end } of all) end();
      await Promise.all(all.map(({ done }) => done));
    },
  };
}

function keyOf(id: string): DocumentKey {
  return { kind: "preview-job", name: id };
}

/** Written by this program, perhaps by another version of it. */
function read(text: string | undefined): PreviewJob | undefined {
  const value: unknown = text === undefined ? undefined : JSON.parse(text);
  return isJob(value) ? value : undefined;
}

function isJob(value: unknown): value is PreviewJob {
  return typeof value === "object" && value !== null && "id" in value && "state" in value && "campaigns" in value;
}
