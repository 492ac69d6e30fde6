/** `postern device bind`, `unbind`, `bindings`, and what `show` and `why` say of where a record comes from. */
import assert from "node:assert/strict";
import path from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createIntake } from "../../src/inventory/intake.ts";
import { createBindings } from "../../src/inventory/bindings.ts";
import { createRegistrations } from "../../src/inventory/registrations.ts";
import type { InventoryReport } from "../../src/inventory/report.ts";
import { createStrangers } from "../../src/inventory/strangers.ts";
import { openStore } from "../../src/store/open.ts";
import type { LastRequest, Store } from "../../src/store/store.ts";
import { aConfigDirectory } from "../support/config-directory.ts";
import { apps, aReport } from "../support/inventory.ts";
import { postern } from "../support/postern.ts";
import type { Finished } from "../support/postern.ts";
import { deviceId } from "../support/records.ts";

const hourAgo = new Date(Date.now() - 3_600_000);
const alices = aReport({ deviceAt: hourAgo, apps: apps(["com.example.mail"], hourAgo), enrolledAt: new Date(0) });
const bobs = aReport({ sourceDeviceId: "18", owner: { name: "bob" }, deviceAt: hourAgo, enrolledAt: hourAgo });

async function withReports(t: TestContext, ...reports: readonly InventoryReport[]) {
  return withRequests(t, [], reports);
}

async function withRequests(
  t: TestContext,
  requests: readonly LastRequest[],
  reports: readonly InventoryReport[],
  before: (store: Store) => Promise<void> = async () => undefined,
) {
  const { file } = aConfigDirectory(t, "upstream: { url: http://mail.internal }\nstore: { embedded: postern.db }\n");
  const store = await openStore({ embedded: { path: path.join(path.dirname(file), "postern.db") } });
  const intake = createIntake({
    store,
    appIds: () => [],
    privacy: "all",
    homeDomains: [],
    ownerRequired: true,
    now: () => new Date(),
  });
  await intake.takeAll(reports);
  for (const request of requests) await store.noteLastRequests([request]);
  await before(store);
  await store.close();
  return (command: string, ...args: readonly string[]): Promise<Finished> =>
    postern(t, ["device", command, ...args, "--config", file]);
}

/** The fields of the one line that is printed. */
const columns = ({ stdout }: Finished): string[][] =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));

suite("postern device bind", { concurrency: 3 }, () => {
  test("ties an id to a managed device, and says how it is known", async (t) => {
    const device = await withReports(t, alices);
    const bound = await device("bind", "outlook1", "--source", "jamf", "--device", "17", "--by", "olga");
    assert.equal(bound.stdout, "OUTLOOK1 → jamf 17, the phone of alice\n", bound.stderr);
    const listed = columns(await device("bindings")).toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1));
    assert.deepEqual(
      listed.map(([id, how, source, sourceDevice, account, , problem]) => [
        id,
        how,
        source,
        sourceDevice,
        account,
        problem,
      ]),
      [
        ["APPLF1", "mdm", "jamf", "17", "alice", "-"],
        ["OUTLOOK1", "operator", "jamf", "17", "alice", "-"],
      ],
    );
    assert.equal((await device("unbind", "OUTLOOK1")).stdout, "OUTLOOK1: bound to nothing\n");
    const again = await device("unbind", "OUTLOOK1");
    assert.deepEqual([again.exitCode, again.stderr], [1, "OUTLOOK1 is bound to nothing\n"]);
    assert.deepEqual(
      columns(await device("bindings")).map(([id]) => id),
      ["APPLF1"],
    );
  });

  test("takes nothing from anybody who is not named", async (t) => {
    const device = await withReports(t, alices, bobs);
    assert.deepEqual(columns(await device("bindings", "--problems"))[0]?.at(-1), "two-people");
    const order = ["bind", "APPLF1", "--source", "jamf", "--device", "18"] as const;
    const refused = await device(...order);
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /known as the phone of alice\..*--taken-from alice\n$/);
    const done = await device(...order, "--taken-from", "alice", "--json");
    assert.deepEqual(JSON.parse(done.stdout), {
      id: "APPLF1",
      source: "jamf",
      sourceDeviceId: "18",
      kind: "bound",
      account: "bob",
    });
    assert.equal((await device("bindings", "--problems")).stdout, "");
  });

  test("strangers are those that no record knows, with what they call themselves and the phones that they may be", async (t) => {
    const seen = (id: string, hoursAgo: number, parts: Partial<LastRequest> = {}): LastRequest => ({
      id: deviceId(id),
      whose: "stranger",
      account: "alice",
      at: new Date(Date.now() - hoursAgo * 3_600_000),
      spellings: [deviceId(id)],
      queryForm: "plain",
      version: "16.1",
      command: "Sync",
      deviceType: "Outlook",
      program: "Outlook-iOS-Android/1.0",
      action: "quarantine",
      reason: "not-enrolled",
      state: "not-enrolled",
      ...parts,
    });
    const requests = [
      seen("0UTL00K", 30),
      seen("0UTL00K", 3),
      seen("SAMSUNG1", 5, { account: "carol", deviceType: "SamsungDevice", program: "Android-SAMSUNG" }),
      // It has a record by now.
      seen("APPLF1", 4),
    ];
    const device = await withRequests(t, requests, [alices]);
    const { stdout, stderr } = await device("strangers");
    assert.equal(
      stdout,
      [
        "0UTL00K\talice\tOutlook\tOutlook-iOS-Android/1.0\tfirst 30 h ago\tlast 3 h ago",
        "  device bind 0UTL00K --source jamf --device 17",
        "SAMSUNG1\tcarol\tSamsungDevice\tAndroid-SAMSUNG\tfirst 5 h ago\tlast 5 h ago",
        "",
      ].join("\n"),
      stderr,
    );
    const [first] = (await device("strangers", "--json")).stdout.trim().split("\n");
    assert.match(String(first), /"phones":\[\{"source":"jamf","sourceDeviceId":"17"\}\]/);
  });

  test("strangers says what its owner has asked for, and bind grants it", async (t) => {
    const id = deviceId("SAMSUNG1");
    const stranger: LastRequest = {
      id,
      whose: "stranger",
      account: "alice",
      at: new Date(),
      spellings: [id],
      queryForm: "plain",
      version: "16.1",
      command: "Sync",
      deviceType: "SmartPhone",
      program: undefined,
      action: "quarantine",
      reason: "not-enrolled",
      state: "not-enrolled",
    };
    const device = await withRequests(t, [stranger], [alices], async (store) => {
      const now = (): Date => new Date(Date.now() - 600_000);
      const settings = { store, homeDomains: [], ownerRequired: true, appIds: () => [], now };
      const bindings = createBindings(settings);
      const selfRegistration = "approve";
      const join = { selfRegistration, outlookMobile: "refuse" } as const;
      const strangers = createStrangers({ ...settings, bindings, join });
      const registrations = createRegistrations({ ...settings, bindings, strangers, selfRegistration });
      const claimant = { device: id, isFor: (account: string) => account === "alice" };
      assert.equal(await registrations.register(claimant), "noted");
    });
    const { stdout, stderr } = await device("strangers");
    const [, asked, bind] = stdout.split("\n");
    assert.equal(asked, "  asked for by its owner 10 min ago", stderr);
    assert.equal(bind, "  device bind SAMSUNG1 --source jamf --device 17");
    assert.match((await device("strangers", "--json")).stdout, /"askedForAt":"\d{4}-/);
    assert.equal((await device("bind", "SAMSUNG1", "--source", "jamf", "--device", "17")).exitCode, 0);
    assert.equal((await device("strangers")).stdout, "");
  });

  test("names a device that nobody has reported", async (t) => {
    const device = await withReports(t, alices);
    const refused = await device("bind", "X1", "--source", "jamf", "--device", "99");
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /^jamf 99: nothing was ever reported of it$/m);
  });

  test("show and why say whose word it is, how the phone was joined, and how old each part is", async (t) => {
    const device = await withReports(t, alices, bobs);
    for (const command of ["show", "why"] as const) {
      const { stdout, stderr } = await device(command, "APPLF1");
      assert.match(stdout, /bound +APPLF1 to jamf 17 \(mdm\) since \d{4}-/, stderr);
      assert.match(stdout, /also claimed for +jamf 18/);
      assert.match(stdout, /ages +owner \d+ min, .*apps \d+ min/);
      assert.match(stdout, /! phones of two people go by this id: it counts for neither/);
    }
    const shown: unknown = JSON.parse((await device("show", "APPLF1", "--json")).stdout);
    assert.ok(typeof shown === "object" && shown !== null && "origin" in shown);
    assert.match(JSON.stringify(shown.origin), /"problem":"two-people"/);
  });

  test("a phone that its source names no owner of has no record, and is said why", async (t) => {
    const device = await withReports(t, aReport({ owner: undefined, deviceAt: hourAgo }));
    const { exitCode, stderr } = await device("show", "APPLF1");
    assert.equal(exitCode, 1);
    assert.match(stderr, /^no record of APPLF1\nbound +APPLF1 to jamf 17 \(mdm\)/);
    assert.match(stderr, /its source names nobody whose phone it is/);
  });
});
