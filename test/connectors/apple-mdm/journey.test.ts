/** Whole ways over HTTP: from an order of ours through a server and a phone back to a report. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { InventoryReport } from "../../../src/inventory/report.ts";
import { anAppleMdmSite } from "../../support/apple-mdm-site.ts";
import type { Site } from "../../support/apple-mdm-site.ts";
import { eventually } from "../../support/eventually.ts";
import { aSimulatedIphone } from "../../support/simulated-iphone.ts";

const tiktok = "com.zhiliaoapp.musically";
const minuteMs = 60_000;

const kindsOf = (site: Site, id: string): string[] =>
  site.fake.commandsOf(id).map(({ requestType, lists }) => (lists.has("Identifiers") ? "asked" : requestType));
const appsOf = (site: Site, scope: string): InventoryReport[] =>
  site.reports.filter(({ apps }) => apps?.scope === scope);

for (const kind of ["nanomdm", "micromdm"] as const) {
  suite(`${kind}: a phone and its server`, () => {
    test("a phone that enrols is asked at once: what decides about its mail first", async (t) => {
      const site = await anAppleMdmSite(t, { kind });
      const phone = aSimulatedIphone({
        apps: [{ id: tiktok, name: "TikTok", version: "41.2" }, { id: "com.example.a" }],
      });
      site.fake.enrol(phone);
      await eventually(() => assert.equal(appsOf(site, "all").length, 1));
      await site.fake.settled();

      assert.deepEqual(kindsOf(site, phone.udid), ["asked", "DeviceInformation", "InstalledApplicationList"]);
      const [enrolled] = site.reports;
      assert.equal(enrolled?.enrolled, true);
      assert.equal(enrolled?.enrolledAt === undefined, kind === "micromdm");
      const device = site.reports.find(({ osVersion }) => osVersion !== undefined);
      assert.deepEqual(
        { ...device, deviceAt: undefined },
        {
          source: "mdm",
          sourceDeviceId: phone.udid,
          enrolled: true,
          udid: phone.udid,
          deviceAt: undefined,
          easDeviceIds: [phone.easDeviceId],
          platform: "ios",
          osVersion: "26.1",
          osExtra: undefined,
          osBuild: "23B85",
          model: "iPhone",
          serial: phone.serial,
        },
      );
      assert.ok(device?.deviceAt !== undefined && Date.now() - device.deviceAt.getTime() < minuteMs);
      const [asked] = appsOf(site, "asked-only");
      assert.deepEqual(asked?.apps?.asked, [tiktok]);
      assert.deepEqual(asked?.apps?.apps, [{ id: tiktok, name: "TikTok", version: "41.2" }]);
      assert.deepEqual(
        appsOf(site, "all")[0]?.apps?.apps.map(({ id }) => id),
        [tiktok, "com.example.a"],
      );
      assert.ok(site.fake.answers.every((status) => status === 200));
      assert.deepEqual(site.problems, []);
    });

    test("the same whatever overtakes what on the way", async (t) => {
      const site = await anAppleMdmSite(t, { kind, webhookDelayMs: (count) => (count % 3 === 0 ? 0 : 60 - count * 5) });
      const phone = aSimulatedIphone();
      site.fake.knows(phone);
      await site.refresh(phone.udid);
      await eventually(() => assert.equal(appsOf(site, "all").length, 1));
      await site.fake.settled();
      assert.deepEqual(
        site.reports.flatMap(({ easDeviceIds = [] }) => easDeviceIds),
        [phone.easDeviceId],
      );
      // Each with the time at which the phone said it, not that of its arrival.
      const told = site.reports.map(({ deviceAt, apps }) => [
        deviceAt?.getTime(),
        apps?.at.getTime() ?? deviceAt?.getTime(),
      ]);
      assert.ok(told.every(([deviceAt, appsAt]) => deviceAt !== undefined && deviceAt === appsAt));
    });

    test("an app that is removed is gone from the next answer, and one that is still being installed is there", async (t) => {
      const site = await anAppleMdmSite(t, { kind });
      const phone = aSimulatedIphone({ apps: [{ id: tiktok, isInstalling: true }] });
      site.fake.knows(phone);
      await site.refresh(phone.udid);
      await eventually(() =>
        assert.deepEqual(
          appsOf(site, "asked-only")[0]?.apps?.apps.map(({ id }) => id),
          [tiktok],
        ),
      );
      await site.fake.settled();
      phone.apps = [];
      await site.refresh(phone.udid);
      await eventually(() => {
        const { apps } = appsOf(site, "asked-only").at(-1) ?? {};
        assert.deepEqual([apps?.apps, apps?.asked], [[], [tiktok]]);
      });
    });

    test("a locked phone puts it off: nothing is heaped up for it, and it answers once it is unlocked", async (t) => {
      const site = await anAppleMdmSite(t, { kind });
      const phone = aSimulatedIphone({ isLocked: true });
      site.fake.knows(phone);
      await site.refresh(phone.udid);
      await site.fake.settled();
      assert.deepEqual(site.reports, []);
      assert.deepEqual(site.problems, []);
      const queued = site.fake.commandsOf(phone.udid).length;
      assert.equal(queued, 3);
      for (const _ of [1, 2, 3]) {
        await site.refresh(phone.udid);
        await site.fake.settled();
      }
      assert.equal(site.fake.commandsOf(phone.udid).length, queued, "it is woken, and not asked again");

      phone.isLocked = false;
      await site.fake.contact(phone.udid);
      await eventually(() => assert.equal(appsOf(site, "all").length, 1));
      assert.deepEqual(
        site.refreshed,
        Array.from({ length: 4 }, () => phone.udid),
      );
    });

    test("what was asked stays queued where only the push fails, and is not asked twice", async (t) => {
      const site = await anAppleMdmSite(t, { kind });
      const phone = aSimulatedIphone();
      site.fake.knows(phone);
      site.fake.failPushes(true);
      await site.refresh(phone.udid);
      assert.equal(site.fake.commandsOf(phone.udid).length, 3);
      if (kind === "nanomdm") await site.refresh(phone.udid);
      assert.equal(site.fake.commandsOf(phone.udid).length, 3);
      site.fake.failPushes(false);
      await site.refresh(phone.udid);
      await eventually(() => assert.equal(appsOf(site, "all").length, 1));
      assert.equal(site.fake.commandsOf(phone.udid).length, 3);
    });

    test("answers that are lost on the way are asked for again when the phone is next heard of, once", async (t) => {
      let time = Date.now();
      const site = await anAppleMdmSite(t, { kind, now: () => new Date(time) });
      const phone = aSimulatedIphone();
      site.fake.knows(phone);
      site.fake.loseWebhooks(100);
      await site.refresh(phone.udid);
      await site.fake.settled();
      site.fake.loseWebhooks(0);
      assert.deepEqual(site.reports, []);

      time += 2 * minuteMs;
      for (const _ of [1, 2, 3]) await site.fake.contact(phone.udid);
      await eventually(() => assert.equal(appsOf(site, "all").length, 1));
      await site.fake.settled();
      assert.deepEqual(site.refreshed, [phone.udid, phone.udid]);
      assert.equal(site.fake.commandsOf(phone.udid).length, 6);
    });

    test("a command that is handed out and answered twice is heard twice", async (t) => {
      const site = await anAppleMdmSite(t, { kind });
      const phone = aSimulatedIphone({ apps: [{ id: tiktok }] });
      site.fake.knows(phone);
      site.fake.repeatAnswers(1);
      await site.refresh(phone.udid);
      await eventually(() => assert.equal(appsOf(site, "asked-only").length, 2));
      await eventually(() => assert.equal(appsOf(site, "all").length, 1));
      assert.deepEqual(site.problems, []);
      assert.deepEqual(site.refreshed, [phone.udid]);
    });

    test("a phone that nobody here has asked yet is asked when it is first heard of, and then left alone", async (t) => {
      const site = await anAppleMdmSite(t, { kind });
      const phone = aSimulatedIphone();
      site.fake.knows(phone);
      await site.fake.contact(phone.udid);
      await eventually(() => assert.equal(appsOf(site, "all").length, 1));
      for (const _ of [1, 2, 3]) await site.fake.contact(phone.udid);
      await site.fake.settled();
      assert.deepEqual(site.refreshed, [phone.udid]);
    });

    test("a phone that has left is managed no more, and one that only begins to come back is not yet", async (t) => {
      const site = await anAppleMdmSite(t, { kind });
      const phone = aSimulatedIphone();
      site.fake.knows(phone);
      site.fake.checkOut(phone.udid);
      await site.fake.settled();
      assert.deepEqual(
        site.reports.map(({ enrolled, deviceAt }) => [enrolled, deviceAt instanceof Date]),
        [[false, true]],
      );
      await site.receive(site.fake.event("mdm.Authenticate", phone, { raw_payload: "" }));
      assert.equal(site.reports.length, 1);
      assert.deepEqual(site.refreshed, []);
    });
  });
}

suite("what a phone is asked", () => {
  test("about single apps only, where nobody's list of apps may be known", async (t) => {
    const site = await anAppleMdmSite(t, { settings: { wholeList: false } });
    const phone = aSimulatedIphone({ apps: [{ id: "com.example.private" }] });
    site.fake.knows(phone);
    await site.refresh(phone.udid);
    await eventually(() => assert.equal(appsOf(site, "asked-only").length, 1));
    await site.fake.settled();
    assert.deepEqual(kindsOf(site, phone.udid), ["asked", "DeviceInformation"]);
    assert.ok(site.fake.said().some((plist) => plist.includes("InstalledApplicationList")));
    assert.ok(!site.fake.said().some((plist) => plist.includes("private")));
  });

  test("about no single app where no rule speaks of one: an empty list of ids would ask about all", async (t) => {
    const site = await anAppleMdmSite(t, { appIds: [], settings: { wholeList: false } });
    const phone = aSimulatedIphone();
    site.fake.knows(phone);
    await site.refresh(phone.udid);
    await eventually(() => assert.equal(site.reports.length, 1));
    assert.deepEqual(kindsOf(site, phone.udid), ["DeviceInformation"]);
  });

  test("for named facts of each app, and for managed and other apps alike", async (t) => {
    const site = await anAppleMdmSite(t);
    const phone = aSimulatedIphone();
    site.fake.knows(phone);
    await site.refresh(phone.udid);
    const [asked, device, all] = site.fake.commandsOf(phone.udid);
    const items = ["Identifier", "ShortVersion", "Version", "Name", "Installing"];
    assert.deepEqual([asked?.lists.get("Items"), all?.lists.get("Items")], [items, items]);
    assert.deepEqual(asked?.lists.get("Identifiers"), [tiktok]);
    assert.ok(device?.lists.get("Queries")?.includes("EASDeviceIdentifier"));
    const bodies = site.fake.server.calls.map(({ body }) => body.toString());
    assert.equal(bodies.filter((body) => /<key>ManagedAppsOnly<\/key>\s*<false\/>/.test(body)).length, 2);
    // A push for the last one only, and a new id for each.
    assert.deepEqual(
      site.fake.server.calls.map(({ query }) => query.get("nopush")),
      ["1", "1", null],
    );
    const ids = site.fake.commandsOf(phone.udid).map(({ uuid }) => uuid);
    assert.equal(new Set(ids).size, 3);
    assert.ok(ids.every((id) => /^postern-(asked|device|all)-[0-9a-f]{16}-[0-9a-f]{24}$/.test(id)));
  });

  test("by the spelling that phones use, once one was seen: Apple compares with case", async (t) => {
    const site = await anAppleMdmSite(t, { appIds: ["net.whatsapp.whatsapp"] });
    const phone = aSimulatedIphone({ apps: [{ id: "net.whatsapp.WhatsApp" }] });
    site.fake.knows(phone);
    await site.refresh(phone.udid);
    await eventually(() => assert.equal(appsOf(site, "all").length, 1));
    await site.fake.settled();
    await site.refresh(phone.udid);
    await eventually(() => assert.equal(appsOf(site, "asked-only").length, 2));
    const asked = appsOf(site, "asked-only").map(({ apps }) => [apps?.apps.map(({ id }) => id), apps?.asked]);
    assert.deepEqual(asked, [
      [[], ["net.whatsapp.whatsapp"]],
      [["net.whatsapp.WhatsApp"], ["net.whatsapp.whatsapp"]],
    ]);
  });

  test("by one node, and heard by another, which knows what was asked and tells that it was answered", async (t) => {
    const site = await anAppleMdmSite(t);
    const other = site.connect();
    const phone = aSimulatedIphone({ apps: [] });
    site.fake.knows(phone);
    for (const count of [1, 2]) {
      assert.ok(other.refresh !== undefined);
      await other.refresh(phone.udid, site.context);
      await eventually(() => assert.equal(appsOf(site, "all").length, count));
      await site.fake.settled();
    }
    assert.equal(site.fake.commandsOf(phone.udid).length, 6, "it was asked the second time, and not only woken");
    assert.deepEqual(
      appsOf(site, "asked-only").map(({ apps }) => apps?.asked),
      [[tiktok], [tiktok]],
    );
    assert.deepEqual(site.refreshed, []);
  });

  test("anew, where its answer comes after the policy has changed", async (t) => {
    const site = await anAppleMdmSite(t, { settings: { wholeList: false } });
    const phone = aSimulatedIphone({ apps: [{ id: tiktok }], isLocked: true });
    site.fake.knows(phone);
    await site.refresh(phone.udid);
    await site.fake.settled();
    site.rule([tiktok, "com.example.new"]);
    phone.isLocked = false;
    await site.fake.contact(phone.udid);
    await eventually(() =>
      assert.deepEqual(
        appsOf(site, "asked-only").map(({ apps }) => apps?.asked),
        [[tiktok], ["com.example.new", tiktok]],
      ),
    );
    assert.equal(site.refreshed.length, 2);
  });

  test("anew, where the one who asked is gone: then an answer proves what it names, and no absence", async (t) => {
    const site = await anAppleMdmSite(t);
    const before = site.connect();
    const phone = aSimulatedIphone({ apps: [{ id: tiktok }] });
    site.fake.knows(phone);
    site.rule([tiktok, "com.example.old"]);
    assert.ok(before.refresh !== undefined);
    await before.refresh(phone.udid, site.context);
    site.rule([tiktok, "com.example.new"]);
    await eventually(() => assert.ok(appsOf(site, "asked-only").length >= 2));
    assert.deepEqual(
      appsOf(site, "asked-only").map(({ apps }) => apps?.asked),
      [[tiktok], ["com.example.new", tiktok]],
    );
  });
});

suite("an order that the server does not take", () => {
  const failing = async (work: Promise<void>): Promise<string> => {
    const error: unknown = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof Error && "code" in error, String(error));
    return String(error.code);
  };

  test("for an id that would be two", async (t) => {
    const site = await anAppleMdmSite(t);
    assert.equal(await failing(site.refresh("a,b")), "not-possible");
    assert.equal(site.fake.server.calls.length, 0);
  });

  test("with 500 of something that is no NanoMDM, and with a fault of its database", async (t) => {
    const site = await anAppleMdmSite(t);
    const phone = aSimulatedIphone();
    site.fake.knows(phone);
    site.fake.server.fail({ kind: "answer", httpStatus: 500, body: Buffer.from("<html>") });
    assert.equal(await failing(site.refresh(phone.udid)), "away");
    site.fake.server.fail({ kind: "answer", httpStatus: 500, body: { command_error: "dial tcp: connection refused" } });
    assert.equal(await failing(site.refresh(phone.udid)), "away");
    site.fake.server.fail({ kind: "answer", httpStatus: 200, body: [] });
    assert.equal(await failing(site.refresh(phone.udid)), "unreadable");
    site.fake.server.fail({ kind: "answer", httpStatus: 404, body: Buffer.from("404 page not found") });
    assert.equal(await failing(site.refresh(phone.udid)), "refused");
    assert.equal(site.fake.commandsOf(phone.udid).length, 0);
  });

  test("but one that it has already is queued", async (t) => {
    const site = await anAppleMdmSite(t);
    const phone = aSimulatedIphone();
    site.fake.knows(phone);
    site.fake.server.fail({ kind: "answer", httpStatus: 500, body: { command_error: "command already exists" } });
    await site.refresh(phone.udid);
  });

  test("for a key that does not count", async (t) => {
    for (const kind of ["nanomdm", "micromdm"] as const) {
      const site = await anAppleMdmSite(t, { kind });
      const wrong = site.connect("wrong");
      assert.ok(wrong.refresh !== undefined);
      assert.equal(await failing(wrong.refresh("x", site.context)), "refused");
      assert.equal(await failing(wrong.health(site.context)), "refused");
      await site.connector.health(site.context);
      await site.fake.server.close();
      assert.equal(await failing(site.connector.health(site.context)), "away");
    }
  });
});
