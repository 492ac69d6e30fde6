/** Writes dist/: the same program in plain JavaScript, for the npm package and the container image. */
import { spawnSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

// What an earlier build wrote from a file that is gone would be packed too.
rmSync(`${root}dist`, { recursive: true, force: true });
const compiler = fileURLToPath(import.meta.resolve("typescript/package.json")).replace(/package\.json$/, "bin/tsc");
const { status } = spawnSync(process.execPath, [compiler, "--project", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
if (status === 0) chmodSync(`${root}dist/main.js`, 0o755);
process.exitCode = status ?? 1;
