/** A whole gate in this process: the demonstration mail server behind it, an embedded store, and phones in front. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { startApp } from "../../src/app.ts";
import type { App } from "../../src/app.ts";
import { formatFaults } from "../../src/config/fault.ts";
import { loadConfig } from "../../src/config/load.ts";
import { createMailServer } from "../../src/demo/mail-server.ts";
import type { MailServer, MailServerOptions } from "../../src/demo/mail-server.ts";
import { createPhone } from "../../src/phone/phone.ts";
import type { Phone, PhoneOptions } from "../../src/phone/phone.ts";
import type { Sources } from "../../src/self-service/self-service.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { eventually } from "./eventually.ts";
import { deviceId } from "./records.ts";

export interface GateOptions {
  /** YAML that is put below the defaults of the tests: campaigns, routes, limits. */
  readonly config?: string;
  /** YAML of the list of routes, instead of the one of the tests. */
  readonly routes?: string;
  readonly mailServer?: Partial<MailServerOptions>;
  /** Undefined: the demonstration mail server. */
  readonly upstream?: string;
  readonly now?: () => Date;
  /** An open store, which the gate closes. Undefined: one of its own, in memory. */
  readonly store?: Store;
  /** Of the installation; all gates of the tests have the same one unless told. */
  readonly secret?: Uint8Array;
  /** The management systems that a page can ask. Undefined: none. */
  readonly sources?: Sources;
  readonly env?: Readonly<Record<string, string>>;
  /** Where the log goes; nowhere unless told. */
  readonly logFile?: string;
}

export interface Gate {
  readonly app: App;
  readonly url: string;
  readonly upstream: MailServer;
  readonly upstreamUrl: string;
  readonly store: Store;
  /** What an inventory or a script says of a phone. */
  reports(id: string, fields: Readonly<Record<string, string>>): Promise<void>;
  /** Resolves when so many requests wait for news in the gate. */
  whenWaiting(count: number): Promise<void>;
  /** A phone of alice's unless told otherwise. */
  phone(options?: Partial<PhoneOptions> & { readonly deviceId?: string }): Phone;
}

const routes = `  - { path: /Microsoft-Server-ActiveSync, protocol: activesync }
  - { path: /mail, protocol: browser }
  - { path: /autodiscover, protocol: autodiscover }`;

export const tiktokCampaign = `
campaigns:
  - id: tiktok
    title: TikTok is not permitted on phones that read company mail
    require:
      - absent: { name: TikTok, ios: [com.zhiliaoapp.musically], android: [com.zhiliaoapp.musically] }
`;

export const aliceAndBob = [
  { name: "alice", password: "alice-Pw-1", displayName: "Alice Archer" },
  { name: "bob", password: "bob-Pw-2", displayName: "Bob Baker" },
] as const;

/** Everything ends with the test. */
export async function aGate(t: TestContext, options: GateOptions = {}): Promise<Gate> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-test-"));
  const upstream = createMailServer({ users: usersWithMail(), seed: "test", ...options.mailServer });
  const listening = await upstream.listen();
  const file = path.join(folder, "postern.yaml");
  writeFileSync(
    file,
    `upstream: { url: "${options.upstream ?? listening.url}" }
notice: { organisation: Example Ltd, from: { name: IT Security, address: it@corp.example } }
routes:
${options.routes ?? routes}
${options.config ?? tiktokCampaign}`,
  );
  const loaded = loadConfig({
    file,
    env: options.env ?? {},
    flags: { "mail.listen": "127.0.0.1:0", "admin.listen": "127.0.0.1:0" },
  });
  if (!loaded.ok) throw new Error(formatFaults(loaded.faults));
  const store = options.store ?? (await openStore({ embedded: { path: ":memory:" } }));
  const log = createLog(
    options.logFile === undefined ? { level: "silent" } : { level: "info", destination: options.logFile },
  );
  const secret = options.secret ?? new Uint8Array(32).fill(7);
  const app = await startApp(loaded.config, {
    log,
    secret,
    store,
    ...(options.now === undefined ? {} : { now: options.now }),
    ...(options.sources === undefined ? {} : { sources: options.sources }),
  });
  const phones: Phone[] = [];
  t.after(async () => {
    for (const phone of phones) phone.close();
    await app.stop(0);
    await listening.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    app,
    url: app.mail.url,
    upstream,
    upstreamUrl: listening.url,
    store,
    async reports(id, fields): Promise<void> {
      await store.writeFields(deviceId(id), { set: new Map(Object.entries(fields)), remove: [] });
    },
    async whenWaiting(count): Promise<void> {
      await eventually(async () => {
        const metrics = await (await fetch(`${app.admin.url}/metrics`)).text();
        assert.match(metrics, new RegExp(`^postern_waiting_requests ${count}$`, "m"));
      });
    },
    phone(phoneOptions = {}): Phone {
      const phone = createPhone({
        url: app.mail.url,
        user: "alice",
        password: "alice-Pw-1",
        deviceId: "PHONEA",
        ...phoneOptions,
      });
      phones.push(phone);
      return phone;
    },
  };
}

function usersWithMail(): MailServerOptions["users"] {
  return aliceAndBob.map(({ name, password, displayName }) => ({
    name,
    password,
    displayName,
    messages: Array.from({ length: 3 }, (_, index) => ({
      from: "Carol Clerk <carol@corp.example>",
      to: [`${displayName} <${name}@demo.example>`],
      subject: `Message ${index + 1} for ${name}`,
      text: `Body ${index + 1}`,
      receivedAt: new Date(Date.UTC(2026, 10, 20, 9, index)),
    })),
  }));
}

/** Facts of a phone that is managed and clean. */
export const clean = { platform: "ios", appsScope: "all", apps: '["com.apple.mobilesafari"]' } as const;
export const withTiktok = { ...clean, apps: '["com.apple.mobilesafari","com.zhiliaoapp.musically"]' } as const;
