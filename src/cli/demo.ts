/** `postern demo`: the main job on one machine, with nothing else installed. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { startApp } from "../app.ts";
import type { App } from "../app.ts";
import { createMailServer } from "../demo/mail-server.ts";
import { demoUsers } from "../demo/seed.ts";
import { createPhone } from "../phone/phone.ts";
import type { Phone } from "../phone/phone.ts";
import { printPhone } from "../phone/print.ts";
import type { Paper } from "../phone/print.ts";
import { viewOf } from "../phone/view.ts";
import { pauseFor, watch } from "../phone/watch.ts";
import type { Fetched } from "../phone/watch.ts";
import { openStore } from "../store/open.ts";
import { createLog } from "../telemetry/log.ts";
import { storeOptionsOf } from "../parts.ts";
import { toDeviceId } from "../policy/device.ts";
import type { Store } from "../store/store.ts";
import { requireConfig, requireSecret } from "./configuration.ts";
import { demoConfig, demoText, removeCommand } from "./demo-text.ts";

export interface DemoIo {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends the demonstration. */
  readonly signal: AbortSignal;
}

export interface DemoOptions {
  /** Where configuration and store are kept while it runs; made anew at each start. */
  readonly folder?: string | undefined;
  /** First choice for the mail listener; any free port where it is taken. */
  readonly port?: number | undefined;
}

interface DemoPhone {
  readonly user: "alice" | "bob";
  readonly device: string;
  readonly type: string;
  readonly apps: string;
}

const phones: readonly DemoPhone[] = [
  { user: "alice", device: "ALICEPHONE", type: "iPhone", apps: "com.apple.mobilesafari com.spotify.client" },
  { user: "bob", device: "BOBPHONE", type: "Android", apps: "com.android.chrome com.zhiliaoapp.musically" },
];
const defaultFolder = path.join("data", "demo");
const messagesListed = 3;
const stopGraceMs = 2000;

export async function demo(options: DemoOptions, io: DemoIo): Promise<void> {
  const { stdout } = io;
  const folder = options.folder ?? defaultFolder;
  const mailServer = createMailServer({ users: demoUsers(new Date()), provisioning: true });
  const upstream = await mailServer.listen();
  const { app, store, config } = await startGate(folder, upstream.url, options.port ?? 8080);
  const paper = paperOf(io);
  try {
    await enrol(store);
    stdout.write(demoText.introduction({ gate: app.mail.url, upstream: upstream.url }, paper));
    await show(paper, app, stdout, io.signal, config);
  } finally {
    await app.stop(stopGraceMs);
    await upstream.close();
  }
}

async function startGate(
  folder: string,
  upstreamUrl: string,
  port: number,
): Promise<{ app: App; store: Store; config: string }> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, "postern.yaml");
  let lastFault: unknown;
  for (const choice of [port, 0]) {
    writeFileSync(file, demoConfig(upstreamUrl, choice));
    const config = requireConfig({ config: file });
    const { secret } = requireSecret(config);
    const store = await openStore(storeOptionsOf(config.store));
    try {
      const log = createLog({ level: "info", destination: path.join(folder, "postern.log") });
      return { app: await startApp(config, { log, secret, store }), store, config: file };
    } catch (error) {
      lastFault = error;
    }
  }
  throw lastFault;
}

async function enrol(store: Store): Promise<void> {
  for (const { user, device, type, apps } of phones) {
    const id = toDeviceId(device);
    if (id === undefined) throw new Error("the demonstration has device ids");
    const fields = {
      owner: `${user}@demo.example`,
      platform: type === "iPhone" ? "ios" : "android",
      appsScope: "all",
      apps,
    };
    await store.writeFields(id, { set: new Map(Object.entries(fields)), remove: [] });
  }
}

/** Both phones as they are, then bob's again whenever something changes on it. */
async function show(paper: Paper, app: App, out: DemoIo["stdout"], signal: AbortSignal, config: string): Promise<void> {
  const alice = phoneOf(phones[0], app);
  const bob = phoneOf(phones[1], app);
  try {
    out.write(demoText.heading("Alice's phone has nothing to hide:", paper));
    out.write(screen(alice, await alice.phone.refresh(), paper));
    out.write(demoText.heading("Bob's phone has TikTok, and finds this instead of his mail:", paper));
    let shown = "";
    await watch(bob.phone, {
      heartbeatSeconds: 480,
      signal,
      pause: pauseFor,
      async show(result: Fetched): Promise<void> {
        const view = JSON.stringify(bob.phone.inbox());
        if (signal.aborted || view === shown) return;
        if (shown !== "") out.write(demoText.changed(bob.phone.inbox().length, paper));
        out.write(screen(bob, result, paper));
        if (shown === "") out.write(demoText.next(removeCommand(config), app.mail.url, config, paper));
        shown = view;
        return Promise.resolve();
      },
    });
  } finally {
    alice.phone.close();
    bob.phone.close();
  }
}

interface OpenPhone extends DemoPhone {
  readonly phone: Phone;
  readonly server: string;
}

function phoneOf(phone: DemoPhone | undefined, app: App): OpenPhone {
  if (phone === undefined) throw new Error("the demonstration has two phones");
  const { user, device, type } = phone;
  const opened = createPhone({ url: app.mail.url, user, password: `${user}-demo`, deviceId: device, deviceType: type });
  return { ...phone, phone: opened, server: new URL(app.mail.url).host };
}

function screen({ phone, user, device, type, server }: OpenPhone, result: Fetched, paper: Paper): string {
  return printPhone(
    viewOf(phone, { user, deviceId: device, deviceType: type, server, now: new Date() }, result),
    paper,
  );
}

function paperOf({ stdout, env }: DemoIo): Paper {
  const plain = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb" || stdout.isTTY !== true;
  return { columns: stdout.columns, color: !plain, timeZone: undefined, messages: messagesListed };
}
