/**
 * How long a person waits who has removed the app: from the tap on "check again" to mail in the Inbox, with a management system whose phones
 * answer after two seconds. Two gates as processes of their own on one Redis; the tap goes to the one, the phone waits with a Ping on the
 * other. `npm run measure:recovery -- --json` prints the same as data.
 */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import { createMailServer } from "../src/demo/mail-server.ts";
import { createPhone } from "../src/phone/phone.ts";
import type { Phone } from "../src/phone/phone.ts";
import { eventually } from "../test/support/eventually.ts";
import { startFakeAppleMdm } from "../test/support/fake-apple-mdm.ts";
import { startRedis } from "../test/support/redis-server.ts";
import { linkOn } from "../test/support/self-service.ts";
import { aSimulatedIphone } from "../test/support/simulated-iphone.ts";
import type { SimulatedIphone } from "../test/support/simulated-iphone.ts";
import { configure, patienceMs, startGates } from "./measured-gates.ts";
import { load, machine, print, progress, quantiles } from "./measuring.ts";

const { values: flags } = parseArgs({
  options: {
    phones: { type: "string", default: "60" },
    /** Milliseconds from the push until a phone speaks. */
    "answers-after": { type: "string", default: "2000" },
    json: { type: "boolean", default: false },
  },
});

const count = Number(flags.phones);
const answersAfterMs = Number(flags["answers-after"]);
const mailPerPhone = 10;
const tiktok = { id: "com.zhiliaoapp.musically", name: "TikTok", version: "42.1" };
const hmacKey = "0123456789abcdef0123456789abcdef";
const opened = new AsyncDisposableStack();

const users = Array.from({ length: count }, (_, index) => ({
  name: `user${index}`,
  password: `pw-${index}`,
  displayName: `User ${index}`,
  messages: Array.from({ length: mailPerPhone }, (_each, number) => ({
    from: "Carol Clerk <carol@corp.example>",
    subject: `Mail ${number}`,
    text: "Some text",
  })),
}));

try {
  await measure();
} finally {
  await opened.disposeAsync();
}

async function measure(): Promise<void> {
  const loadBefore = load();
  const upstream = createMailServer({ users, seed: "measure" });
  const listening = await upstream.listen();
  opened.defer(() => listening.close());
  const redis = await startRedis();
  opened.defer(() => redis.stop());
  const mdm = await startFakeAppleMdm({ hmacKey });
  opened.defer(() => mdm.close());
  const file = configure(opened, {
    upstream: listening.url,
    redis: redis.url,
    connections: 10_000,
    publicUrl: "https://mail.corp.example",
    more: `inventory:
  listen: 127.0.0.1:0
  connectors:
    - { name: mdm, kind: nanomdm, url: "${mdm.apiUrl}", apiKey: the-api-key, webhookKey: ${hmacKey}, ownerParameter: user }
campaigns:
  - id: tiktok
    title: TikTok is not permitted on phones that read company mail
    require: [{ absent: { name: TikTok, ios: [${tiktok.id}] } }]
    waves: [{ deadline: 2020-01-01T00:00, timezone: UTC }]
`,
  });
  const [one, other] = await startGates(opened, file);
  assert.ok(one.inventoryUrl !== undefined);
  mdm.sendTo(`${one.inventoryUrl}/v1/inventory/mdm`);
  const client = new Redis(redis.url);
  opened.defer(() => client.disconnect());

  const recoveries: Recovery[] = [];
  for (const [index, { name, password }] of users.entries()) {
    progress("phones are held and come back, one after another", index, count);
    const iphone = aSimulatedIphone({
      udid: `UDID-${index}`,
      easDeviceId: `APPL${index}`,
      serial: `SERIAL${index}`,
      urlParameters: { user: name },
      apps: [tiktok, { id: "com.example.notes" }],
    });
    mdm.enrol(iphone);
    await eventually(async () => {
      assert.match((await client.hget(`postern:device:APPL${index}`, "apps")) ?? "", /musically/);
    }, patienceMs);
    await mdm.settled();
    const phone = createPhone({ url: other.mailUrl, user: name, password, deviceId: iphone.easDeviceId });
    await phone.refresh();
    recoveries.push(await recover(phone, iphone, one.mailUrl));
    phone.close();
  }
  progress("done", count, count);

  print(
    {
      machine: machine(),
      at: new Date().toISOString(),
      loadBefore,
      loadAfter: load(),
      phones: count,
      "a phone speaks so long after the push, ms": answersAfterMs,
      "from the tap to the end of the Ping on the other gate, ms": quantiles(recoveries.map(({ pingMs }) => pingMs)),
      "from the tap to mail in the Inbox, ms": quantiles(recoveries.map(({ mailMs }) => mailMs)),
      "of it not the phone's, ms": quantiles(recoveries.map(({ mailMs }) => mailMs - answersAfterMs)),
    },
    flags.json,
  );
}

interface Recovery {
  readonly pingMs: number;
  readonly mailMs: number;
}

/** The app is removed, the person taps, the phone that waits hears of it and fetches its mail. */
async function recover(phone: Phone, iphone: SimulatedIphone, pageUrl: string): Promise<Recovery> {
  const link = await linkOn(phone);
  iphone.apps = iphone.apps.filter(({ id }) => id !== tiktok.id);
  iphone.delayMs = answersAfterMs;
  const ended = phone.ping(600);
  // The Ping is on its way before the person taps.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const tapped = performance.now();
  const answer = await fetch(`${pageUrl}${link}/check`, { method: "POST", redirect: "manual" });
  assert.equal(answer.status, 303, await answer.text());
  assert.equal((await ended).kind, "changes");
  const pingMs = performance.now() - tapped;
  await phone.sync("Inbox");
  const mailMs = performance.now() - tapped;
  assert.equal(phone.inbox().length, mailPerPhone, "mail is back");
  return { pingMs, mailMs };
}
