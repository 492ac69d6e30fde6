/** A phone that NanoMDM or MicroMDM manages, at a whole gate: asked, held, and given its mail back, without anybody writing to the store. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createMailServer } from "../../src/demo/mail-server.ts";
import { createRechecks } from "../../src/inventory/rechecks.ts";
import { toDeviceId } from "../../src/policy/device.ts";
import { openStore } from "../../src/store/open.ts";
import { aConfigDirectory } from "../support/config-directory.ts";
import { eventually } from "../support/eventually.ts";
import { startFakeAppleMdm } from "../support/fake-apple-mdm.ts";
import { postern, startPostern } from "../support/postern.ts";
import { startRedis } from "../support/redis-server.ts";
import { aSimulatedIphone } from "../support/simulated-iphone.ts";

const tiktok = { id: "com.zhiliaoapp.musically", name: "TikTok", version: "41.2" };
const other = { id: "com.example.other", name: "Other", version: "1" };
const path = "0123456789abcdef0123456789abcdef";
const key = "fedcba9876543210fedcba9876543210";

async function aManagedGate(
  t: TestContext,
  kind: "nanomdm" | "micromdm",
  apps: "all" | "asked-only",
  store = "{ embedded: store.db }",
) {
  const upstream = createMailServer({
    users: [
      {
        name: "alice",
        password: "alice-Pw-1",
        displayName: "Alice",
        messages: [{ from: "carol@corp.example", subject: "Real mail", text: "." }],
      },
    ],
  });
  const listening = await upstream.listen();
  t.after(() => listening.close());
  const fake = await startFakeAppleMdm({ kind, apiKey: "the-api-key", hmacKey: kind === "nanomdm" ? key : undefined });
  t.after(() => fake.close());
  const secret = kind === "nanomdm" ? `webhookKey: ${key}` : `webhookPath: ${path}`;
  const directory = aConfigDirectory(
    t,
    `upstream: { url: "${listening.url}" }
mail: { listen: "127.0.0.1:0" }
admin: { listen: "127.0.0.1:0" }
identity: { domains: [corp.example] }
store: ${store}
inventory:
  listen: 127.0.0.1:0
  connectors:
    - { name: mdm, kind: ${kind}, url: "${fake.server.url}", apiKey: the-api-key, ${secret}, ownerParameter: user, apps: ${apps} }
campaigns:
  - id: tiktok
    title: TikTok is not permitted
    require: [{ absent: { name: TikTok, ios: [com.zhiliaoapp.musically] } }]
`,
  );
  const gate = startPostern(t, ["serve", "--config", directory.file]);
  const { groups = {} } = await gate.says(
    /^postern: mail (?<mail>\S+) {2}admin (?<admin>\S+) {2}inventory (?<inventory>\S+)\n/,
  );
  fake.sendTo(`${groups["inventory"]}/v1/inventory/mdm${kind === "nanomdm" ? "" : `/${path}`}`);
  const inbox = async (): Promise<string> => {
    const args = ["phone", "inbox", "--url", groups["mail"] ?? "", "--user", "alice", "--device", "APPLF1XK93ABCD"];
    const { stdout, stderr, exitCode } = await postern(t, [...args, "--state", `${directory.path}/phone.json`], {
      env: { POSTERN_PHONE_PASSWORD: "alice-Pw-1" },
    });
    assert.equal(exitCode, 0, stderr);
    return stdout;
  };
  const metrics = async (): Promise<string> => (await fetch(`${groups["admin"]}/metrics`)).text();
  return { fake, inbox, metrics, gate };
}

suite("a managed phone", () => {
  for (const [kind, apps] of [
    ["nanomdm", "all"],
    ["micromdm", "asked-only"],
  ] as const) {
    test(`of ${kind} that enrols is asked and held, and has its mail back when the app is gone (${apps})`, async (t) => {
      const { fake, inbox, metrics, gate } = await aManagedGate(t, kind, apps);
      const phone = aSimulatedIphone({
        easDeviceId: "APPLF1XK93ABCD",
        apps: [tiktok, other],
        urlParameters: { user: "alice@corp.example" },
      });
      const asked = apps === "all" ? 3 : 2;
      const answered = async (times: number): Promise<void> => {
        await eventually(async () => {
          assert.equal(fake.commandsOf(phone.udid).length, asked * times);
          await fake.settled();
          assert.match(
            await metrics(),
            new RegExp(`inventory_requests_total\\{source="mdm",code="200"\\} ${fake.answers.length}\\b`),
          );
        }, 20_000);
      };
      fake.enrol(phone);
      await answered(1);
      assert.match(await inbox(), /Remove TikTok/);

      // The server forgets what was asked, as at a new enrolment.
      phone.apps = [other];
      fake.enrol(phone);
      await eventually(async () => assert.match(await inbox(), /Real mail/), 20_000);

      fake.checkOut(phone.udid);
      await fake.settled();
      assert.doesNotMatch(await inbox(), /Real mail/);
      assert.ok(fake.answers.every((status) => status === 200));
      gate.signal("SIGTERM");
      assert.equal((await gate.finished).exitCode, 0);
    });
  }

  test("of which somebody removed the app and asks to look again, has its mail back as soon as it has answered", async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const { fake, inbox } = await aManagedGate(t, "nanomdm", "all", `{ redis: "${redis.url}" }`);
    const phone = aSimulatedIphone({
      easDeviceId: "APPLF1XK93ABCD",
      apps: [tiktok, other],
      urlParameters: { user: "alice@corp.example" },
    });
    fake.enrol(phone);
    await eventually(async () => assert.match(await inbox(), /Remove TikTok/), 20_000);

    // As the page does it, on whichever node.
    const store = await openStore({ redis: { url: redis.url } });
    t.after(() => store.close());
    const rechecks = createRechecks(store);
    const id = toDeviceId("APPLF1XK93ABCD");
    assert.ok(id !== undefined);
    phone.apps = [other];
    phone.delayMs = 100;
    const asked = await rechecks.ask(id, "page", new Date());
    assert.equal(asked.kind, "asked");
    await eventually(async () => assert.match(await inbox(), /Real mail/), 20_000);
    await eventually(async () => {
      const { steps, end } = (await rechecks.read(id)) ?? {};
      assert.ok(steps?.sent !== undefined && steps.answered !== undefined && steps.clear !== undefined, String(end));
      assert.ok(steps.asked !== undefined);
      t.diagnostic(`sent after ${steps.sent.getTime() - steps.asked.getTime()} ms`);
      t.diagnostic(`seen to be clear after ${steps.clear.getTime() - steps.asked.getTime()} ms`);
    }, 20_000);
  });
});
