/**
 * A NanoMDM or MicroMDM with simulated iPhones, to try a connector without either: it takes commands, and sends webhooks as phones answer.
 * It prints its two addresses as JSON. Phones are made and changed at the second one:
 * `curl -X PUT $control/phones/UDID -d '{"apps":[{"id":"com.zhiliaoapp.musically"}],"delayMs":2000}'`.
 */
import { once } from "node:events";
import http from "node:http";
import type { IncomingMessage } from "node:http";
import { parseArgs } from "node:util";
import * as z from "zod";
import { startFakeAppleMdm } from "../test/support/fake-apple-mdm.ts";
import { aSimulatedIphone } from "../test/support/simulated-iphone.ts";

const { values: flags } = parseArgs({
  options: {
    kind: { type: "string", default: "nanomdm" },
    webhook: { type: "string" },
    "hmac-key": { type: "string" },
    "api-key": { type: "string", default: "the-api-key" },
    "delay-ms": { type: "string", default: "2000" },
  },
});

const wish = z
  .strictObject({
    easDeviceId: z.string(),
    osVersion: z.string(),
    productName: z.string(),
    serial: z.string(),
    isSupervised: z.boolean(),
    isLocked: z.boolean(),
    delayMs: z.int().min(0),
    workMs: z.int().min(0),
    urlParameters: z.record(z.string(), z.string()),
    apps: z.array(
      z.strictObject({
        id: z.string(),
        name: z.string().default(""),
        version: z.string().default("1.0"),
        isInstalling: z.boolean().default(false),
      }),
    ),
  })
  .partial();

const fake = await startFakeAppleMdm({
  kind: z.enum(["nanomdm", "micromdm"]).parse(flags.kind),
  apiKey: flags["api-key"],
  webhookUrl: flags.webhook,
  hmacKey: flags["hmac-key"],
});

const control = http.createServer((req, res) => {
  work(req).then(
    (body) => res.writeHead(200, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`),
    (error: unknown) => res.writeHead(400).end(`${String(error)}\n`),
  );
});

async function work(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  const [, first, udid, verb] = new URL(req.url ?? "/", "http://control").pathname.split("/");
  if (first !== "phones") throw new Error("only /phones/UDID is here");
  if (udid === undefined) return [...fake.phones.values()];
  if (req.method === "PUT") change(udid, Buffer.concat(chunks).toString());
  else if (req.method === "DELETE") fake.checkOut(udid);
  // As when it is unlocked or started.
  else if (req.method === "POST" && verb === "contact") await fake.contact(udid);
  return { phone: fake.phones.get(udid) ?? null, commands: fake.commandsOf(udid).length, webhooks: fake.answers };
}

/** A phone that is not there yet enrols, which the webhook tells. */
function change(udid: string, text: string): void {
  const wished = Object.fromEntries(
    Object.entries(wish.parse(JSON.parse(text === "" ? "{}" : text))).filter(([, value]) => value !== undefined),
  );
  const known = fake.phones.get(udid);
  if (known === undefined) fake.enrol(aSimulatedIphone({ delayMs: Number(flags["delay-ms"]), ...wished, udid }));
  else Object.assign(known, wished);
}

control.listen(0, "127.0.0.1");
await once(control, "listening");
const address = control.address();
const port = address !== null && typeof address === "object" ? address.port : 0;
process.stdout.write(`${JSON.stringify({ api: fake.apiUrl, control: `http://127.0.0.1:${port}` })}\n`);

const stop = new Promise((resolve) => {
  process.once("SIGTERM", resolve);
  process.once("SIGINT", resolve);
});
await stop;
control.closeAllConnections();
control.close();
await fake.close();
