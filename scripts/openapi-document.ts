/** The OpenAPI document as text, made by the very table that a gate serves. */
import { openAdminApi } from "../src/admin/admin-api.ts";
import { createEventHub } from "../src/admin/event-hub.ts";
import { openApiOf } from "../src/admin/openapi.ts";
import { createLedger } from "../src/campaign/ledger.ts";
import { openStore } from "../src/store/open.ts";
import { version } from "../src/version.ts";

export async function openApiDocument(): Promise<string> {
  const store = await openStore({ embedded: { path: ":memory:" } });
  const now = (): Date => new Date();
  const stances = { notEnrolled: "quarantine", stale: "warn", uninspectable: "allow", unknown: "last-known" } as const;
  const api = openAdminApi({
    store,
    ledger: createLedger({ store, stances, now }),
    configured: { campaigns: [], exemptions: [], stances, maxReportAgeHours: 168, homeDomains: [] },
    important: [],
    createCrew: () => undefined,
    hosts: [],
    settings: [],
    connectors: [],
    version,
    host: "",
    health: () => ({ started: true, ready: true, state: "ready", store: "live", detail: "" }),
    policyVersion: () => undefined,
    hub: createEventHub(),
    audit: { append: async () => undefined },
    issued: undefined,
    localSecret: undefined,
    breakGlassToken: undefined,
    onBreakGlass: () => undefined,
    onRefused: () => undefined,
    cursorSecret: new Uint8Array(32),
    now,
    onFailure: () => undefined,
  });
  try {
    return `${JSON.stringify(openApiOf(api.routes, version), null, 2)}\n`;
  } finally {
    await api.close();
    await store.close();
  }
}
