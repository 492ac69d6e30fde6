/** What happens is told to whoever watches, until the token ends or the program does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createEventHub } from "../../src/admin/event-hub.ts";
import { anAdminSide, tiktok } from "../support/admin-api.ts";
import type { AdminSide } from "../support/admin-api.ts";

async function watched(admin: AdminSide, token: string, t: { after(stop: () => void): void }) {
  const leave = new AbortController();
  t.after(() => leave.abort());
  const response = await fetch(`${admin.app.admin.url}/api/v1/events`, {
    headers: { authorization: `Bearer ${token}` },
    signal: leave.signal,
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    response,
    async until(pattern: RegExp): Promise<string> {
      for (;;) {
        if (pattern.test(text)) return text;
        const { done, value = "" } = (await reader?.read()) ?? { done: true };
        if (done) throw new Error(`it ended without ${pattern.source}: ${text}`);
        text += value;
      }
    },
    async ended(): Promise<void> {
      for (;;) if (((await reader?.read()) ?? { done: true }).done) return;
    },
  };
}

test("a new policy is an event, and what is in force is the first one", async (t) => {
  const admin = await anAdminSide(t);
  const events = await watched(admin, admin.token({ roles: "p-viewer" }), t);
  assert.equal(events.response.headers.get("content-type"), "text/event-stream");
  await events.until(/event: store\ndata: \{"state":"live"/);
  await admin
    .as("operator")
    .send("post", "/campaigns/apply", { campaigns: [tiktok], why: "x" }, { "If-Match": '"policy-0"' })
    .expect(200);
  await events.until(/event: policy\ndata: \{"version":1,/);
});

test("a stream ends with the token that asked for it", async (t) => {
  const admin = await anAdminSide(t);
  const iat = Math.floor(Date.now() / 1000);
  // Clocks may differ by some seconds, so that a token which ended just now still opens a stream, and ends it.
  const token = admin.token({ roles: "p-viewer", claims: { iat: iat - 60, exp: iat - 5 } });
  const events = await watched(admin, token, t);
  assert.equal(events.response.status, 200);
  await events.ended();
});

test("fifty may watch, and one more may not", () => {
  const hub = createEventHub();
  const stops = Array.from({ length: 50 }, () => hub.listen(() => undefined));
  assert.ok(stops.every((stop) => stop !== undefined));
  assert.equal(
    hub.listen(() => undefined),
    undefined,
  );
  stops[0]?.();
  assert.notEqual(
    hub.listen(() => undefined),
    undefined,
  );
});
