/** `npm run test:model -- --count 2000 --seed 7`: many sequences, with a bar. */
import { parseArgs } from "node:util";
import { runSequences } from "./sequences.ts";
import { versions } from "./documents.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "1000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    path: { type: "string" },
    version: { type: "string" },
    redis: { type: "boolean", default: false },
    steps: { type: "string", default: "40" },
  },
});
const chosen = versions.filter((version) => values.version === undefined || values.version === version);

for (const version of chosen) {
  let run = 0;
  const count = Number(values.count);
  const started = performance.now();
  try {
    const done = await runSequences({
      version,
      count,
      redis: values.redis,
      seed: Number(values.seed),
      stepsAtMost: Number(values.steps),
      ...(values.path === undefined ? {} : { path: values.path }),
      onRun(): void {
        run += 1;
        if (process.stderr.isTTY || run % 25 === 0) process.stderr.write(`\r${version}: ${run} of ${count} `);
      },
    });
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    console.log(
      `\r${version}: ${done.sequences} sequences, ${done.requests} requests, ${seconds} s, seed ${values.seed}: every promise kept; at most ${done.mostRequestsPerFolder} requests for a folder`,
    );
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
