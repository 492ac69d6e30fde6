/** msmtpd of Debian's msmtp: a real SMTP server on a free port, which puts every message it takes into a folder. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { requirePackage } from "./debian.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./redis-server.ts";

export interface SmtpServer {
  readonly port: number;
  /** Whole messages in the order in which they came, each with its recipients in front. */
  messages(): readonly SmtpMessage[];
  /** Addresses with `nobody` in them are refused for good, those with `later` are while `isBusy`. */
  setBusy(isBusy: boolean): void;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface SmtpMessage {
  readonly to: string;
  readonly text: string;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export async function startSmtpServer(): Promise<SmtpServer> {
  const binary = await requirePackage("msmtp-mta", "msmtpd");
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-smtp-"));
  const port = await freePort();
  const script = path.join(folder, "take");
  // 67 is "no such user" and 75 "try again" (sysexits.h); msmtpd answers 554 and 451.
  writeFileSync(
    script,
    `#!/bin/sh
mail=$(mktemp ${folder}/incoming.XXXXXX) || exit 75
{ echo "$*"; cat; } >"$mail"
case "$*" in
  *nobody*) rm "$mail"; exit 67 ;;
  *later*) test -e ${folder}/busy && { rm "$mail"; exit 75; } ;;
esac
mv "$mail" "${folder}/$(date +%s%N).mail"
`,
  );
  chmodSync(script, 0o755);
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const started = spawn(binary, ["--interface=127.0.0.1", `--port=${port}`, `--command=${script} --`], {
      stdio: "ignore",
    });
    child = started;
    running.add(started);
    started.once("exit", () => running.delete(started));
    await eventually(async () => {
      const socket = net.connect(port, "127.0.0.1");
      await once(socket, "connect");
      socket.destroy();
    });
  }

  async function stop(): Promise<void> {
    if (child === undefined || !running.has(child)) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  await start();
  return {
    port,
    messages: () =>
      readdirSync(folder)
        .filter((name) => name.endsWith(".mail"))
        .toSorted()
        .map((name) => {
          const [to = "", ...rest] = readFileSync(path.join(folder, name), "utf8").split("\n");
          return { to: to.replace(/^-- */, ""), text: rest.join("\n") };
        }),
    setBusy(isBusy): void {
      if (isBusy) writeFileSync(path.join(folder, "busy"), "");
      else rmSync(path.join(folder, "busy"), { force: true });
    },
    start,
    async stop(): Promise<void> {
      await stop();
    },
  };
}
