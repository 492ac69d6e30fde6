/**
 * One clock for processes that know nothing of it: Debian's libfaketime puts it in the place of the system's. Timers run on as
 * they are. Whoever starts with this environment has the time that was set last, within a second.
 */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { requirePackages } from "./debian.ts";

export interface Clock {
  readonly env: Readonly<Record<string, string>>;
  set(at: Date): void;
}

export async function aClock(t: TestContext, at: Date): Promise<Clock> {
  const [library = ""] = await requirePackages([
    { packageName: "libfaketime", file: "/usr/lib/*/faketime/libfaketime.so.1" },
  ]);
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-clock-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, "offset");
  const clock: Clock = {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      TZ: "UTC",
    },
    set(moment): void {
      // Not half of it at any moment.
      writeFileSync(`${file}.new`, `+${Math.round((moment.getTime() - Date.now()) / 1000)}\n`);
      renameSync(`${file}.new`, file);
    },
  };
  clock.set(at);
  return clock;
}
