/** Runs random sequences, and tells of the shortest one that breaks a promise. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Version } from "./documents.ts";
import { spellings } from "./air.ts";
import type { Spelling } from "./air.ts";
import { createModelPhone } from "./phone.ts";
import { look, steps } from "./steps.ts";
import type { Stage, Step } from "./steps.ts";
import { openStage, openWorld } from "./world.ts";
import type { Facts } from "./world.ts";

export interface Runs {
  readonly version: Version;
  readonly count: number;
  readonly seed: number;
  readonly path?: string;
  /** A real one, in which each gate has a cache of its own; otherwise the store is in memory. */
  readonly redis?: boolean;
  readonly stepsAtMost?: number;
  readonly withinMs?: number;
  readonly onRun?: () => void;
}

export interface RunsDone {
  readonly sequences: number;
  readonly requests: number;
  /** Of the folder that took the most until nothing was new in it. */
  readonly mostRequestsPerFolder: number;
}

const stepsAtMost = 40;

/** What is true of the phone when it first meets the gates. */
const firstFacts: Readonly<Record<Facts["apps"], string>> = {
  none: "it may read mail",
  announced: "it is warned",
  due: "it is warned until noon",
  banned: "it is in quarantine",
};
const firstOnes = ["none", "none", "announced", "due", "banned"] as const;

/** @throws Error with the sequence as sentences, the seed and the path. */
export async function runSequences(runs: Runs): Promise<RunsDone> {
  const stage = await openStage(runs.redis ?? false);
  const done = { sequences: 0, requests: 0, mostRequestsPerFolder: 0 };

  async function runOne(first: Facts["apps"], spelling: Spelling, sequence: Iterable<Step>): Promise<void> {
    const world = await openWorld(stage, spelling);
    const phone = createModelPhone(world, runs.version);
    const on: Stage = { world, phone, mostRequests: 0 };
    try {
      await world.report({ apps: first });
      phone.diary.push(`- the phone is set up, names itself ${spelling}: ${firstFacts[first]}`);
      assert.ok(await phone.provision(0, 1), "a phone that is set up gets its policy");
      await look(0)(on);
      phone.diary.splice(1);
      await fc.asyncModelRun(() => ({ model: {}, real: on }), sequence);
      await lookAtTheEnd(on);
      await phone.stopWaiting();
    } catch (error) {
      throw new Error(`${phone.diary.join("\n")}\n  ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    } finally {
      await world.close();
      done.sequences += 1;
      done.requests += world.air.sent();
      done.mostRequestsPerFolder = Math.max(done.mostRequestsPerFolder, on.mostRequests);
      runs.onRun?.();
    }
  }

  try {
    const result = await fc.check(
      fc.asyncProperty(
        fc.constantFrom(...firstOnes),
        fc.constantFrom(...spellings),
        steps(runs.stepsAtMost ?? stepsAtMost),
        runOne,
      ),
      {
        numRuns: runs.count,
        seed: runs.seed,
        ...(runs.path === undefined ? {} : { path: runs.path }),
        ...(runs.withinMs === undefined
          ? {}
          : { interruptAfterTimeLimit: runs.withinMs, markInterruptAsFailure: false }),
      },
    );
    if (result.failed) {
      const { errorInstance, seed, counterexamplePath } = result;
      const why = errorInstance instanceof Error ? errorInstance : new Error(String(errorInstance));
      throw new Error(
        `ActiveSync ${runs.version}, seed ${seed}, path ${counterexamplePath ?? "none"}, after ${result.numRuns} sequences and ${result.numShrinks} shortenings:\n${why.message}`,
        { cause: why.cause },
      );
    }
    return done;
  } finally {
    await stage.close();
  }
}

/** However the sequence ended: as it is, then cut, then released, the phone comes to rest and shows what it should. */
async function lookAtTheEnd(on: Stage): Promise<void> {
  const { world, phone } = on;
  if (world.storeIsAway()) world.storeComesBack();
  phone.diary.push("- at the end, the phone looks at everything");
  await look(0)(on);
  phone.diary.push("- at the end, a banned app is found");
  await world.report({ apps: "banned", override: "none" });
  await look(1)(on);
  phone.diary.push("- at the end, no banned app is left");
  await world.report({ apps: "none", source: "compliant" });
  await look(0)(on);
  phone.checkEverything();
  assert.equal(world.expected(), "allow");
}
