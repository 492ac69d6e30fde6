/**
 * The Dockerfile, carried out line by line without a container engine: each stage is a folder, each RUN line runs in it under
 * this Node, and what comes of it is started as its unprivileged user, who can write to the two volumes and nowhere else.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, glob, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import { promisify } from "node:util";
import { parseDockerfile } from "../support/dockerfile.ts";
import type { Instruction, Stage } from "../support/dockerfile.ts";
import { requirePackage } from "../support/debian.ts";
import { aServer } from "../support/http.ts";
import { repository, startPostern } from "../support/postern.ts";
import { freePort } from "../support/redis-server.ts";

const run = promisify(execFile);
const user = "10001";

suite("the container image", () => {
  let folder = "";
  let stages: readonly Stage[] = [];
  let context: ReadonlySet<string> = new Set();

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "postern-image-"));
    // The unprivileged user must be able to come in.
    await run("chmod", ["755", folder]);
    stages = parseDockerfile(await readFile(path.join(repository, "Dockerfile"), "utf8"));
    const ignored = await readFile(path.join(repository, ".dockerignore"), "utf8");
    context = new Set(ignored.split("\n").flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : [])));
    for (const [index, stage] of stages.entries()) await build(stage, rootOf(index));
  });
  after(() => {
    setTimeout(() => console.error(process.getActiveResourcesInfo()), 3000).unref();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const rootOf = (index: number): string => path.join(folder, `stage-${index}`);
  const image = (): { readonly stage: Stage; readonly root: string } => {
    const stage = stages.at(-1);
    assert.ok(stage !== undefined);
    return { stage, root: rootOf(stages.length - 1) };
  };

  async function build(stage: Stage, root: string): Promise<void> {
    let directory = root;
    for (const instruction of stage.instructions) {
      if (instruction.name === "WORKDIR") {
        directory = root + instruction.line;
        await mkdir(directory, { recursive: true });
      } else if (instruction.name === "COPY") await copy(instruction, directory);
      else if (instruction.name === "RUN") {
        // Paths from the root are those of the image.
        await run("/bin/sh", ["-c", instruction.line.replaceAll(/(?<= )\/(?=\w)/g, `${root}/`)], {
          cwd: directory,
          env: { PATH: `${path.dirname(process.execPath)}:${process.env["PATH"] ?? ""}`, HOME: process.env["HOME"] },
          maxBuffer: 16 * 1024 * 1024,
        });
      }
    }
  }

  async function copy(
    { from, sources, target }: Instruction & { readonly name: "COPY" },
    directory: string,
  ): Promise<void> {
    const stage = stages.findIndex(({ alias }) => alias !== undefined && alias === from);
    for (const source of sources) {
      if (from === undefined) assert.ok(context.has(source), `.dockerignore keeps ${source} out`);
      const origin = from === undefined ? path.join(repository, source) : rootOf(stage) + source;
      const isFolder = (await stat(origin)).isDirectory();
      await cp(origin, path.join(directory, target, isFolder ? "" : path.basename(source)), { recursive: true });
    }
  }

  const wordsOf = (name: "ENTRYPOINT" | "CMD" | "HEALTHCHECK"): [string, ...string[]] => {
    const { stage, root } = image();
    const found = stage.instructions.find((instruction) => instruction.name === name);
    assert.ok(found?.name === name);
    const [command = "", ...args] = found.words.map((word) => (word.startsWith("/") ? root + word : word));
    return [command === "node" ? process.execPath : command, ...args];
  };

  test("is made from the Node that the tests run under", async () => {
    const manifest = await readFile(path.join(repository, "package.json"), "utf8");
    const [, version] = /"node": "(\d+\.\d+\.\d+)"/.exec(manifest) ?? [];
    for (const { image: name } of stages) assert.equal(name, `node:${version}-slim`);
    assert.equal(process.versions.node, version);
  });

  test("holds no compiler, no tests and no development package", async () => {
    const { root } = image();
    const manifest: unknown = JSON.parse(await readFile(path.join(repository, "package.json"), "utf8"));
    assert.ok(typeof manifest === "object" && manifest !== null && "devDependencies" in manifest);
    for (const name of Object.keys(manifest.devDependencies ?? {}))
      await assert.rejects(stat(path.join(root, "app/node_modules", name)), name);
    for await (const file of glob("app/{src,test,scripts}", { cwd: root })) assert.fail(file);
    for await (const file of glob("app/dist/**/*.ts", { cwd: root })) assert.fail(file);
  });

  test("starts as an unprivileged user that can write to its volumes only, is healthy, and ends on SIGTERM", async (t) => {
    const { stage, root } = image();
    const setpriv = await requirePackage("util-linux", "setpriv");
    const upstream = await aServer(t, (_req, res) => res.end());
    const adminPort = await freePort();
    const configuration = `mail: { listen: "127.0.0.1:0" }\nadmin: { listen: "127.0.0.1:${adminPort}" }\nupstream: { url: "${upstream.url}" }\n`;
    await writeFile(path.join(root, "postern.yaml"), configuration, { mode: 0o444 });
    assert.ok(stage.instructions.some((each) => each.name === "USER" && each.line === `${user}:${user}`));
    const drop: [string, ...string[]] = [
      setpriv,
      "--reuid",
      user,
      "--regid",
      user,
      "--clear-groups",
      "--no-new-privs",
      "--",
    ];
    // No home, and no folder for temporary files: there is none in an image whose root is read-only.
    const env = { HOME: "/nonexistent", TMPDIR: "/nonexistent", NODE_ENV: "production", NODE_COMPILE_CACHE: "" };
    const start = (...words: readonly string[]): ReturnType<typeof startPostern> =>
      startPostern(t, [], { command: [...drop, ...words], cwd: path.join(root, "app"), env });

    const writable = await run(drop[0], [...drop.slice(1), "find", root, "-writable"]);
    assert.deepEqual(writable.stdout.trim().split("\n").toSorted(), [`${root}/data`, `${root}/secrets`]);

    const gate = start(
      ...wordsOf("ENTRYPOINT"),
      ...wordsOf("CMD").map((word, index) => (index === 0 ? "serve" : word)),
    );
    await gate.says(/^postern: mail http/);
    const health = await start(...wordsOf("HEALTHCHECK")).finished;
    assert.equal(health.exitCode, 0, health.stderr);
    assert.match(health.stdout, /"state":"ready"/);
    gate.signal("SIGTERM");
    const { exitCode, stderr } = await gate.finished;
    assert.equal(exitCode, 0, stderr);
    assert.equal((await stat(path.join(root, "secrets/installation"))).uid, Number(user));
    assert.equal((await stat(path.join(root, "data/postern.db"))).uid, Number(user));

    const unhealthy = await start(...wordsOf("HEALTHCHECK")).finished;
    assert.equal(unhealthy.exitCode, 4);
  });
});
