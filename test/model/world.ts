/**
 * The world of one sequence: two gates on one store, one mail server behind them, one clock that stands still until it is
 * moved, and the air between phone and gates, in which answers can be lost.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { startApp } from "../../src/app.ts";
import type { App } from "../../src/app.ts";
import type { Config } from "../../src/config/config.ts";
import { formatFaults } from "../../src/config/fault.ts";
import { loadConfig } from "../../src/config/load.ts";
import { createMailServer } from "../../src/demo/mail-server.ts";
import type { MailServer } from "../../src/demo/mail-server.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { startRedis } from "../support/redis-server.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { aliasId, createAir } from "./air.ts";
import type { Air, NodeIndex, Spelling } from "./air.ts";
import { openSharedStore } from "./shared-store.ts";

/** In every item that upstream has, so that one byte of it is found wherever it turns up. */
export const mailMark = "UPSTREAM-ITEM";

const minuteMs = 60_000;
const dayMs = 86_400_000;
const start = new Date("2026-11-24T08:00:00Z");
const deadline = new Date("2026-11-24T12:00:00Z");
const enforcedFrom = new Date(deadline.getTime() + minuteMs);

const apps = {
  none: [],
  /** Its deadline is years away. */
  announced: ["com.sina.weibo"],
  /** Its deadline passes when the clock is moved over it. */
  due: ["com.ss.iphone.ugc.aweme"],
  banned: ["com.zhiliaoapp.musically"],
} as const;

/** What the record of the phone says. */
export interface Facts {
  readonly apps: keyof typeof apps;
  readonly override: "none" | "allow" | "block";
  readonly source: "compliant" | "noncompliant";
  /** Stands in the notice: another number is another wording. */
  readonly wording: number;
}

export type Expected = "allow" | "warn" | "quarantine";

export interface World {
  readonly upstream: MailServer;
  readonly air: Air;
  readonly facts: () => Facts;
  /** What the facts and the clock come to. */
  readonly expected: () => Expected;
  readonly storeIsAway: () => boolean;
  readonly now: () => Date;
  /** An inventory or a script writes the record. */
  report(change: Partial<Facts>): Promise<void>;
  moveClock(to: "a minute on" | "a day on" | "past the deadline"): void;
  storeGoesAway(): void;
  storeComesBack(): void;
  /** How many requests a gate watches over. */
  watched(node: NodeIndex): Promise<number>;
  /** Stops a gate and starts another in its place: what it had in memory is gone. */
  restart(node: NodeIndex): Promise<void>;
  close(): Promise<void>;
}

/** One address for the mail servers of all sequences: the configuration of the gates is then read once. */
interface Stage {
  readonly config: Config;
  /** Undefined: the store is in memory. */
  readonly redis: RedisServer | undefined;
  enter(upstream: MailServer): void;
  close(): Promise<void>;
}

const config = (upstreamUrl: string): string => `upstream: { url: "${upstreamUrl}" }
notice: { organisation: Example Ltd, from: { name: IT Security, address: it@corp.example } }
routes:
  - { path: /Microsoft-Server-ActiveSync, protocol: activesync }
campaigns:
  - id: tiktok
    title: TikTok is not permitted on phones that read company mail
    require: [{ absent: { name: TikTok, ios: [${apps.banned.join()}] } }]
  - id: weibo
    title: Weibo is not permitted from 2036 on
    require: [{ absent: { name: Weibo, ios: [${apps.announced.join()}] } }]
    waves: [{ deadline: "2036-01-01T12:00", timezone: UTC }]
  - id: douyin
    title: Douyin is not permitted from noon on
    require: [{ absent: { name: Douyin, ios: [${apps.due.join()}] } }]
    waves: [{ deadline: "${deadline.toISOString().slice(0, 16)}", timezone: UTC }]
`;

export async function openStage(withRedis: boolean): Promise<Stage> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-model-"));
  let current: MailServer | undefined;
  const server = http.createServer({ requestTimeout: 0 }, (req, res) => {
    if (current === undefined) res.destroy();
    else current.handler(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const file = path.join(folder, "postern.yaml");
  writeFileSync(file, config(`http://127.0.0.1:${address.port}`));
  const loaded = loadConfig({
    file,
    env: {},
    flags: { "mail.listen": "127.0.0.1:0", "admin.listen": "127.0.0.1:0" },
  });
  rmSync(folder, { recursive: true });
  if (!loaded.ok) throw new Error(formatFaults(loaded.faults));
  const redis = withRedis ? await startRedis() : undefined;
  return {
    config: loaded.config,
    redis,
    enter(upstream): void {
      current = upstream;
    },
    async close(): Promise<void> {
      await redis?.stop();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

export async function openWorld(stage: Stage, spelling: Spelling): Promise<World> {
  let clock = start;
  let facts: Facts = { apps: "none", override: "none", source: "compliant", wording: 1 };
  const now = (): Date => clock;
  const upstream = createMailServer({ users: [alice()], seed: "model", clock: now, provisioning: true });
  stage.enter(upstream);
  const shared = await openSharedStore(now, stage.redis);
  const startNode = async (): Promise<App> =>
    startApp(stage.config, {
      log: createLog({ level: "silent" }),
      secret: new Uint8Array(32).fill(7),
      store: await shared.open(),
      now,
    });
  const nodes: [App, App] = [await startNode(), await startNode()];
  const air = createAir((node) => nodes[node].mail.port, spelling);
  await shared.bind(aliasId);
  await write();

  async function write(): Promise<void> {
    const override = facts.override === "none" ? {} : { override: facts.override };
    const fields = {
      platform: "ios",
      appsScope: "all",
      apps: JSON.stringify(apps[facts.apps]),
      compliance: facts.source,
      model: `iPhone ${facts.wording}`,
      ...override,
    };
    await shared.write(fields, facts.override === "none" ? ["override"] : []);
  }

  return {
    upstream,
    air,
    now,
    facts: () => facts,
    storeIsAway: shared.isAway,
    expected(): Expected {
      if (facts.override === "block") return "quarantine";
      if (facts.override === "allow") return "allow";
      if (facts.source === "noncompliant" || facts.apps === "banned") return "quarantine";
      if (facts.apps === "due") return clock >= enforcedFrom ? "quarantine" : "warn";
      return facts.apps === "announced" ? "warn" : "allow";
    },
    async report(change): Promise<void> {
      facts = { ...facts, ...change };
      await write();
    },
    moveClock(to): void {
      if (to === "past the deadline") clock = clock < enforcedFrom ? enforcedFrom : clock;
      else clock = new Date(clock.getTime() + (to === "a minute on" ? minuteMs : dayMs));
    },
    storeGoesAway(): void {
      shared.goAway();
    },
    storeComesBack(): void {
      shared.comeBack();
    },
    async watched(node): Promise<number> {
      const metrics = await (await fetch(`${nodes[node].admin.url}/metrics`)).text();
      return Number(/^postern_waiting_requests (\d+)$/m.exec(metrics)?.[1]);
    },
    async restart(node): Promise<void> {
      const stopped = nodes[node];
      await stopped.stop(0);
      nodes[node] = await startNode();
    },
    async close(): Promise<void> {
      air.close();
      await Promise.all(nodes.map((node) => node.stop(0)));
      await shared.close();
    },
  };
}

function alice() {
  const mail = (number: number, folder: string) => ({
    from: "Carol Clerk <carol@corp.example>",
    subject: `${mailMark} ${number}`,
    text: `${mailMark} text ${number}`,
    receivedAt: new Date(start.getTime() - number * minuteMs),
    folder,
  });
  return {
    name: "alice",
    password: "alice-Pw-1",
    displayName: "Alice Archer",
    messages: [mail(1, "Inbox"), mail(2, "Inbox"), mail(3, "Projects")],
    calendar: [{ subject: `${mailMark} event`, startsAt: start, endsAt: deadline }],
    contacts: [{ firstName: "Carol", lastName: mailMark, email: "carol@corp.example" }],
  };
}
