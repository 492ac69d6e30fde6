/** A connector for Apple devices, the fake server that it asks, and a listener that takes the webhooks as the one of `sync` does. */
import assert from "node:assert/strict";
import http from "node:http";
import type { TestContext } from "node:test";
import type { AppleMdmSettings } from "../../src/connectors/apple-mdm/apple-mdm.ts";
import type { SharedMemory } from "../../src/connectors/apple-mdm/outstanding.ts";
import { createMicroMdm, microMdmUser } from "../../src/connectors/micromdm/micromdm.ts";
import { createNanoMdm, nanoMdmUser } from "../../src/connectors/nanomdm/nanomdm.ts";
import { freeAdmission } from "../../src/connectors/rest/admission.ts";
import { basic } from "../../src/connectors/rest/authentication.ts";
import { openRest } from "../../src/connectors/rest/rest.ts";
import type { Connector, ConnectorContext, Received, ReceivedRequest } from "../../src/inventory/connector.ts";
import type { InventoryReport } from "../../src/inventory/report.ts";
import { startFakeAppleMdm } from "./fake-apple-mdm.ts";
import type { FakeAppleMdm, FakeAppleMdmOptions, FakeEvent } from "./fake-apple-mdm.ts";

export const hmacKey = "the-hmac-key";
export const pathSecret = "5d41402abc4b2a76b9719d911017c592";
export const apiKey = "the-api-key";

export interface SiteOptions extends Pick<FakeAppleMdmOptions, "kind" | "webhookDelayMs"> {
  readonly appIds?: readonly string[];
  readonly now?: () => Date;
  readonly settings?: Partial<AppleMdmSettings>;
}

export interface Site {
  readonly fake: FakeAppleMdm;
  readonly connector: Connector;
  readonly context: ConnectorContext;
  /** In the order in which they came. */
  readonly reports: readonly InventoryReport[];
  readonly problems: readonly string[];
  /** Phones that the connector wanted to be asked anew, and that were. */
  readonly refreshed: readonly string[];
  /** A new connector of the same configuration, as after a restart, or on another node. */
  connect(credential?: "wrong"): Connector;
  receive(event: FakeEvent | ReceivedRequest, connector?: Connector): Promise<Received>;
  refresh(id: string): Promise<void>;
  /** What campaigns speak about from now on. */
  rule(appIds: readonly string[]): void;
}

/** What nodes share: words, each for its time. */
export function aSharedMemory(now: () => Date): SharedMemory & { readonly words: ReadonlyMap<string, number> } {
  const words = new Map<string, number>();
  const isKnown = (word: string): boolean => (words.get(word) ?? 0) > now().getTime();
  return {
    words,
    async remember(word, ttlMs) {
      const isNew = !isKnown(word);
      if (isNew) words.set(word, now().getTime() + ttlMs);
      return isNew;
    },
    isRemembered: async (word) => isKnown(word),
    forget: async (word) => void words.delete(word),
  };
}

export async function anAppleMdmSite(t: TestContext, options: SiteOptions = {}): Promise<Site> {
  const { kind = "nanomdm", now = () => new Date() } = options;
  let appIds = options.appIds ?? ["com.zhiliaoapp.musically"];
  const memory = aSharedMemory(now);
  const reports: InventoryReport[] = [];
  const problems: string[] = [];
  const refreshed: string[] = [];
  const opened: { close(): void }[] = [];
  const context: ConnectorContext = { signal: new AbortController().signal, appIds: () => appIds, now };
  const base = kind === "nanomdm" ? "" : `/${pathSecret}`;

  const listener = http.createServer((req, res) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
      const received = await receive({
        method: req.method ?? "",
        path: new URL(req.url ?? "/", "http://x").pathname.replace("/v1/inventory/mdm", ""),
        headers: new Map(Object.entries(req.headers).map(([name, value]) => [name, String(value)])),
        body: Buffer.concat(chunks),
      });
      res.writeHead(received.answer(received.reports.map(() => ({ kind: "accepted" }))).httpStatus).end();
      // What fails is asked again by nobody here; a test that ends lets go of what it asked.
      for (const id of received.refresh) await refresh(id).catch(() => undefined);
    })();
  });
  await new Promise<void>((resolve) => void listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  assert.ok(address !== null && typeof address === "object");

  const fake = await startFakeAppleMdm({
    kind,
    apiKey,
    now,
    webhookUrl: `http://127.0.0.1:${address.port}/v1/inventory/mdm${base}`,
    hmacKey: kind === "nanomdm" ? hmacKey : undefined,
    ...(options.webhookDelayMs && { webhookDelayMs: options.webhookDelayMs }),
  });
  t.after(async () => {
    for (const each of opened) each.close();
    await fake.close();
    listener.closeAllConnections();
    listener.close();
  });

  function connect(credential?: "wrong"): Connector {
    const user = kind === "nanomdm" ? nanoMdmUser : microMdmUser;
    const rest = openRest(
      { baseUrl: new URL(fake.apiUrl), ca: undefined, timeoutMs: 500, concurrent: 4, recordTo: undefined },
      () => basic(user, credential === "wrong" ? "the-wrong-key" : apiKey),
      { admission: freeAdmission, now, onRecordingFailure: assert.ifError },
    );
    opened.push(rest);
    const settings: AppleMdmSettings = {
      source: "mdm",
      webhook: kind === "nanomdm" ? { hmacKeys: [hmacKey], pathSecret: undefined } : { hmacKeys: [], pathSecret },
      ownerParameter: undefined,
      wholeList: true,
      ...options.settings,
    };
    return kind === "nanomdm" ? createNanoMdm(settings, memory, rest) : createMicroMdm(settings, memory, rest);
  }

  const connector = connect();

  async function receive(event: FakeEvent | ReceivedRequest, by: Connector = connector): Promise<Received> {
    const { receiver } = by;
    assert.ok(receiver !== undefined);
    const request: ReceivedRequest =
      typeof event.body === "string"
        ? { method: "POST", path: base, headers: event.headers, body: Buffer.from(event.body) }
        : { method: "POST", path: base, headers: event.headers, body: event.body, ...("path" in event && event) };
    const received = await receiver.receive(request, context);
    reports.push(...received.reports);
    problems.push(...(received.problems ?? []));
    return received;
  }

  async function refresh(id: string): Promise<void> {
    assert.ok(connector.refresh !== undefined);
    refreshed.push(id);
    await connector.refresh(id, context);
  }

  return {
    fake,
    connector,
    context,
    reports,
    problems,
    refreshed,
    connect,
    receive,
    refresh,
    rule: (ids) => void (appIds = ids),
  };
}
