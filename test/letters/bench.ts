/** What tests of letters need: a store, a real mail server, and rounds at whichever time. */
import type { TestContext } from "node:test";
import { createLedger } from "../../src/campaign/ledger.ts";
import { createCompose } from "../../src/letters/compose.ts";
import { createCourier } from "../../src/letters/courier.ts";
import { createRoundMemory, sendRound } from "../../src/letters/round.ts";
import type { LetterProblem, RoundMemory, RoundResult } from "../../src/letters/round.ts";
import { createNoticeWriter } from "../../src/notice/writer.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { aPolicy, deviceId, ordinaryStances } from "../support/records.ts";
import { startSmtpServer } from "../support/smtp-server.ts";
import type { SmtpServer } from "../support/smtp-server.ts";

export const noon = new Date("2026-11-24T12:00:00Z");
export const hours = (count: number): Date => new Date(noon.getTime() + count * 3_600_000);
export const author = { who: "bob", why: "test" };
export const from = { name: "IT", address: "it@corp.example" };
export const tiktok = {
  id: "tiktok",
  title: "TikTok is not permitted",
  require: [{ absent: { name: "TikTok", ios: ["com.zhiliaoapp.musically"] } }],
  waves: [{ announce: "2026-11-24T12:00Z", deadline: "2026-11-24T23:59Z" }],
  remind: ["4h", "1h"],
};
export const withApp = { platform: "ios", appsScope: "all", apps: "com.zhiliaoapp.musically" };
export const withoutApp = { ...withApp, apps: "[]" };

export interface Bench {
  readonly store: Store;
  readonly smtp: SmtpServer;
  readonly problems: LetterProblem[];
  readonly round: (at: Date, store?: Store) => Promise<RoundResult>;
  readonly report: (id: string, fields: Readonly<Record<string, string>>) => Promise<void>;
  readonly subjects: () => string[];
  readonly ledger: ReturnType<typeof createLedger>;
}

export async function aBench(t: TestContext, store?: Store): Promise<Bench> {
  const smtp = await startSmtpServer();
  t.after(() => smtp.stop());
  const own = store ?? (await openStore({ embedded: { path: ":memory:" } }));
  if (store === undefined) t.after(() => own.close());
  const courier = createCourier({
    host: "127.0.0.1",
    port: smtp.port,
    tls: false,
    username: undefined,
    password: undefined,
    perMinute: 60_000,
  });
  t.after(() => courier.close());
  const problems: LetterProblem[] = [];
  const memories = new Map<Store, RoundMemory>();
  const memoryOf = (each: Store): RoundMemory => {
    const memory = memories.get(each) ?? createRoundMemory();
    memories.set(each, memory);
    return memory;
  };
  const ledger = createLedger({ store: own, stances: ordinaryStances, now: () => noon });
  const compose = createCompose({
    notices: createNoticeWriter({ organisation: "Example Ltd", from }),
    organisation: "Example Ltd",
    from,
  });
  return {
    store: own,
    smtp,
    problems,
    ledger,
    async round(at, otherStore = own): Promise<RoundResult> {
      const { policy } = await ledger.read();
      return sendRound({
        store: otherStore,
        courier,
        compose,
        policy: aPolicy({ campaigns: policy.campaigns }),
        runs: (await own.readPolicy())?.runs ?? {},
        memory: memoryOf(otherStore),
        now: () => at,
        mayGoOn: () => true,
        onProblem: (problem) => problems.push(problem),
      });
    },
    report: (id, fields) => own.writeFields(deviceId(id), { set: new Map(Object.entries(fields)), remove: [] }),
    subjects: () => smtp.messages().map(({ to, text }) => `${to}: ${/^Subject: (.*)$/m.exec(text)?.[1] ?? ""}`),
  };
}
