import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { PROBLEMS_LIMIT } from "../../../src/connectors/apple-mdm/receiver.ts";
import { createWebhookProof } from "../../../src/connectors/apple-mdm/webhook-proof.ts";
import type { Received, ReceivedRequest } from "../../../src/inventory/connector.ts";
import { anAppleMdmSite, hmacKey, pathSecret } from "../../support/apple-mdm-site.ts";
import type { Site, SiteOptions } from "../../support/apple-mdm-site.ts";
import { answerOf, aSimulatedIphone, readCommand } from "../../support/simulated-iphone.ts";
import type { SimulatedIphone } from "../../support/simulated-iphone.ts";

const noon = new Date("2026-11-28T12:00:00Z");
const accepted = { kind: "accepted" } as const;
const statusOf = ({ answer, reports }: Received): number => answer(reports.map(() => accepted)).httpStatus;

const commandId = (kind: string): string => `postern-${kind}-${"0".repeat(16)}-${"1".repeat(24)}`;

function command(kind: string): string {
  const content: Readonly<Record<string, string>> = {
    device: `<string>DeviceInformation</string><key>Queries</key><array><string>EASDeviceIdentifier</string><string>OSVersion</string><string>SupplementalOSVersionExtra</string><string>ModelName</string><string>ProductName</string><string>SerialNumber</string><string>IsSupervised</string></array>`,
    all: `<string>InstalledApplicationList</string>`,
  };
  return `<plist><dict><key>CommandUUID</key><string>${commandId(kind)}</string><key>RequestType</key>${content[kind] ?? content["all"]}</dict></plist>`;
}

interface Answered {
  /** The phone's property list, changed on its way. */
  readonly plist?: (plist: string) => string | Uint8Array;
  readonly status?: string;
  readonly commandId?: string;
}

/** What a phone answers to a command of this kind, as the site hears it. */
async function answering(
  site: Site,
  phone: SimulatedIphone,
  kind: "asked" | "device" | "all",
  { plist = (text) => text, status, commandId: id = commandId(kind) }: Answered = {},
): Promise<Received> {
  const answer = await answerOf(phone, readCommand(command(kind)));
  const payload = Buffer.from(plist(answer.plist)).toString("latin1");
  const event = site.fake.connectEvent(phone, id, status ?? answer.status, "", noon);
  const body = event.body.replace(
    `"raw_payload":""`,
    `"raw_payload":"${Buffer.from(payload, "latin1").toString("base64")}"`,
  );
  return site.receive({ body, headers: signed(body) });
}

function signed(body: string, key = hmacKey): ReadonlyMap<string, string> {
  return new Map([["x-hmac-signature", createHmac("sha256", key).update(body).digest("base64")]]);
}

/** A site that has asked its phones already, so that nothing is asked for being unasked. */
async function aSite(t: TestContext, options: SiteOptions = {}): Promise<Site> {
  return anAppleMdmSite(t, { now: () => noon, ...options });
}

suite("what phones answer", () => {
  test("its kind, by the name of its model", async (t) => {
    const site = await aSite(t);
    for (const [productName, platform, model] of [
      ["iPhone17,1", "ios", "iPhone"],
      ["iPad14,3", "ipados", "iPad"],
      ["iPod9,1", "ios", "iPod"],
      ["Mac15,3", "macos", "Mac"],
      ["AppleTV14,1", "other", "AppleTV"],
    ] as const) {
      const { reports } = await answering(site, aSimulatedIphone({ productName }), "device");
      assert.deepEqual([reports[0]?.platform, reports[0]?.model], [platform, model]);
    }
  });

  test("a rapid security response, and that there is none any more", async (t) => {
    const site = await aSite(t);
    const extras: (string | undefined)[] = [];
    for (const phone of [aSimulatedIphone({ osExtra: "(a)" }), aSimulatedIphone()]) {
      const [report] = (await answering(site, phone, "device")).reports;
      assert.ok(report !== undefined && "osExtra" in report);
      extras.push(report.osExtra);
    }
    assert.deepEqual(extras, ["(a)", undefined]);
  });

  test("what it may not tell is not spoken about", async (t) => {
    const site = await aSite(t);
    const { reports } = await answering(site, aSimulatedIphone(), "device", {
      plist: (text) =>
        text.replace(/<key>QueryResponses<\/key>\s*<dict>.*?<\/dict>/s, "<key>QueryResponses</key><dict/>"),
    });
    assert.deepEqual(reports, [
      {
        source: "mdm",
        sourceDeviceId: aSimulatedIphone().udid,
        enrolled: true,
        udid: aSimulatedIphone().udid,
        deviceAt: noon,
      },
    ]);
    const empty = await answering(site, aSimulatedIphone({ easDeviceId: "" }), "device");
    assert.ok(empty.reports[0] !== undefined && !("easDeviceIds" in empty.reports[0]));
  });

  test("a supervised phone is the company's", async (t) => {
    const site = await aSite(t);
    const { reports } = await answering(site, aSimulatedIphone({ isSupervised: true }), "device");
    assert.equal(reports[0]?.ownership, "corporate");
  });

  test("a list of iOS 26, with the system's own apps", async (t) => {
    const site = await aSite(t);
    const apps = ["com.apple.mobilesafari", "com.apple.Maps", "com.example.a"].map((id) => ({ id, version: "1.0" }));
    const { reports } = await answering(site, aSimulatedIphone({ apps }), "all");
    assert.deepEqual(reports[0]?.apps, {
      scope: "all",
      apps: apps.map(({ id, version }) => ({ id, version, name: undefined })),
      at: noon,
    });
  });

  test("an empty list is reported as what it is: whether it can be true is decided elsewhere", async (t) => {
    const site = await aSite(t);
    const { reports } = await answering(site, aSimulatedIphone({ apps: [] }), "all");
    assert.deepEqual(reports[0]?.apps, { scope: "all", apps: [], at: noon });
  });

  test("User Enrollment: no UDID, and no absence is proven, whatever was asked", async (t) => {
    const site = await aSite(t, { settings: { ownerParameter: "user" } });
    const phone = aSimulatedIphone({
      enrollmentId: "A1B2C3D4-0000-1111-2222-333344445555",
      urlParameters: { user: "anna@corp.example" },
      apps: [],
    });
    for (const kind of ["asked", "all"] as const) {
      const [report] = (await answering(site, phone, kind)).reports;
      assert.equal(report?.sourceDeviceId, phone.enrollmentId);
      assert.deepEqual(report?.apps, { scope: "managed-only", apps: [], at: noon });
    }
    const [device] = (await answering(site, phone, "device")).reports;
    assert.ok(device !== undefined && !("udid" in device) && !("serial" in device));
    assert.deepEqual(
      [device.ownership, device.owner, device.easDeviceIds],
      ["personal", { email: "anna@corp.example" }, [phone.easDeviceId]],
    );
  });

  test("a refusal is told to operators by its numbers, without the phone's own words", async (t) => {
    const site = await aSite(t);
    const phone = aSimulatedIphone();
    for (const status of ["Error", "CommandFormatError"] as const) {
      phone.script.push(status);
      const received = await answering(site, phone, "all");
      assert.deepEqual([received.reports, received.refresh, statusOf(received)], [[], [], 200]);
    }
    assert.deepEqual(site.problems, [
      "InstalledApplicationList is refused by a phone: MCMDMErrorDomain 12021",
      "InstalledApplicationList is refused by a phone: it takes the command for malformed",
    ]);
  });
});

test("what could not be kept is asked for again: the server does not tell it twice", async (t) => {
  let time = noon.getTime();
  const site = await aSite(t, { now: () => new Date(time) });
  const phone = aSimulatedIphone();
  const idle = async (): Promise<readonly string[]> =>
    (await site.receive(site.fake.connectEvent(phone, undefined, "Idle", (await answerOf(phone, undefined)).plist)))
      .refresh;
  site.fake.knows({ ...phone, isLocked: true });
  await site.refresh(phone.udid);
  await site.fake.settled();
  for (const isKept of [true, false]) {
    const id = site.fake.commandsOf(phone.udid)[2]?.uuid ?? "";
    const plist = (text: string): string => text.replace(commandId("all"), id);
    const { undo } = await answering(site, phone, "all", { commandId: id, plist });
    assert.ok(undo !== undefined);
    if (!isKept) await undo();
    time += 120_000;
    assert.deepEqual(await idle(), isKept ? [] : [phone.udid]);
  }

  const enrolled = await site.receive(site.fake.event("mdm.TokenUpdate", phone, { raw_payload: "" }));
  assert.ok(enrolled.undo !== undefined);
  await enrolled.undo();
  assert.deepEqual(await idle(), [phone.udid]);
});

test("a phone that refuses without end, each time in other words, fills no log", async (t) => {
  let time = noon.getTime();
  const site = await aSite(t, { now: () => new Date(time) });
  const phone = aSimulatedIphone();
  const refuse = async (count: number, word: (index: number) => string): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      phone.script.push("Error");
      await answering(site, phone, "all", { plist: (text) => text.replace("12021", word(index)) });
    }
  };
  await refuse(PROBLEMS_LIMIT, () => "1");
  assert.equal(site.problems.length, 1);
  await refuse(PROBLEMS_LIMIT + 5, String);
  assert.equal(site.problems.length, PROBLEMS_LIMIT);
  time += 60_000;
  await refuse(2, () => "1");
  assert.equal(site.problems.length, PROBLEMS_LIMIT + 1);
});

suite("a phone that lies by ambiguity is not believed, and its server hears nothing of it", () => {
  const dtd = `<!DOCTYPE plist [<!ENTITY e "com.zhiliaoapp.musically">]>`;
  const rows: readonly (readonly [attack: string, answered: Answered])[] = [
    [
      "a key twice",
      {
        plist: (text) =>
          text.replace("<key>Status</key>", "<key>InstalledApplicationList</key><array/><key>Status</key>"),
      },
    ],
    ["an entity", { plist: (text) => text.replace(/<!DOCTYPE[^>]*>/, dtd) }],
    ["a binary list", { plist: () => "bplist00" }],
    ["no list", { plist: () => "" }],
    ["bytes that are no UTF-8", { plist: (text) => Buffer.from(text.replace("Notes", "N\u00f6tes"), "latin1") }],
    ["another UDID", { plist: (text) => text.replace(aSimulatedIphone().udid, "00008030-FFFFFFFFFFFFFFFF") }],
    [
      "an id of another kind beside",
      { plist: (text) => text.replace("<key>UDID</key>", "<key>EnrollmentID</key><string>x</string><key>UDID</key>") },
    ],
    ["another command", { plist: (text) => text.replace(commandId("all"), commandId("asked")) }],
    ["another status", { plist: (text) => text.replace("Acknowledged", "Idle") }],
    ["an answer to something else", { plist: (text) => text.replace("InstalledApplicationList", "ProfileList") }],
    ["a dictionary for a list", { plist: (text) => text.replace(/<array>.*<\/array>/s, "<dict/>") }],
    ["an app without an id", { plist: (text) => text.replace("<key>Identifier</key>", "<key>identifier</key>") }],
    ["an app with an empty id", { plist: (text) => text.replace("<string>com.example.notes</string>", "<string/>") }],
    [
      "an app that is a text",
      { plist: (text) => text.replace(/<array>.*<\/array>/s, "<array><string>a</string></array>") },
    ],
    ["an array around it all", { plist: (text) => text.replace(/<dict>.*<\/dict>/s, "<array/>") }],
  ];
  for (const [attack, answered] of rows) {
    test(attack, async (t) => {
      const site = await aSite(t);
      const received = await answering(site, aSimulatedIphone(), "all", answered);
      assert.deepEqual([received.reports, statusOf(received)], [[], 200]);
      assert.equal(site.problems.length, 1);
      assert.match(site.problems[0] ?? "", /^InstalledApplicationList is answered unreadably: [a-zA-Z0-9 ,;-]+$/);
    });
  }
});

suite("what is no answer of ours", () => {
  test("an answer to somebody else's command is not read", async (t) => {
    const site = await aSite(t);
    for (const id of [
      "0001-ProfileList",
      commandId("device").replace("postern", "Postern"),
      commandId("other"),
      `${commandId("all")}x`,
      "",
    ]) {
      const received = await answering(site, aSimulatedIphone(), "all", { commandId: id, plist: () => "bplist00" });
      assert.deepEqual([received.reports, received.problems, statusOf(received)], [[], [], 200]);
    }
  });

  test("topics that say nothing about apps, and those that nobody knows, are answered with 200", async (t) => {
    const site = await aSite(t);
    const topics = [
      "mdm.UserAuthenticate",
      "mdm.SetBootstrapToken",
      "mdm.GetBootstrapToken",
      "mdm.DeclarativeManagement",
      "mdm.GetToken",
      "mdm.New",
    ];
    for (const topic of topics) {
      const body = JSON.stringify({ topic, created_at: noon, checkin_event: { udid: "x", raw_payload: "" } });
      const bare = JSON.stringify({ topic, created_at: noon, something: {} });
      for (const each of [body, bare]) {
        const received = await site.receive({ body: each, headers: signed(each) });
        assert.deepEqual([statusOf(received), received.reports, received.refresh], [200, [], []]);
      }
    }
  });

  test("the channel of one person on a device", async (t) => {
    const site = await aSite(t);
    for (const type of ["User", "User Enrollment", "Shared iPad"]) {
      const body = JSON.stringify({
        topic: "mdm.TokenUpdate",
        created_at: noon,
        checkin_event: { udid: "u", ids: { id: "u:p", type, parent_id: "u" }, token_update_tally: 1, raw_payload: "" },
      });
      const received = await site.receive({ body, headers: signed(body) });
      assert.deepEqual([statusOf(received), received.reports, received.refresh], [200, [], []]);
    }
  });

  test("an event that is none is a fault of its sender", async (t) => {
    const site = await aSite(t);
    const event = { topic: "mdm.TokenUpdate", created_at: noon, checkin_event: { udid: "x", raw_payload: "" } };
    for (const each of [
      "",
      "[]",
      `{"topic":1}`,
      JSON.stringify({ ...event, created_at: "yesterday" }),
      JSON.stringify({ ...event, created_at: "2026-13-28T12:00:00Z" }),
      JSON.stringify({ ...event, created_at: undefined }),
      JSON.stringify({ ...event, checkin_event: { raw_payload: "" } }),
      JSON.stringify({ ...event, checkin_event: { udid: "x".repeat(201) } }),
      JSON.stringify({
        ...event,
        checkin_event: undefined,
        acknowledge_event: { udid: "x", status: "Idle", raw_payload: "" },
      }),
      JSON.stringify({ ...event, topic: "mdm.Connect" }),
      JSON.stringify({
        topic: "mdm.Connect",
        created_at: noon,
        acknowledge_event: { udid: "x", status: "Idle", raw_payload: "%" },
      }),
    ]) {
      const received = await site.receive({ body: each, headers: signed(each) });
      assert.deepEqual([statusOf(received), received.reports, received.refresh], [400, [], []], each);
    }
    assert.deepEqual(site.problems, ["an event that is none", "an event without what its topic needs"]);
  });
});

suite("times and owners", () => {
  const tokenUpdate = (more: object, createdAt = noon.toISOString()): string =>
    JSON.stringify({
      topic: "mdm.TokenUpdate",
      created_at: createdAt,
      checkin_event: Object.assign({ udid: "x", token_update_tally: 1, raw_payload: "" }, more),
    });

  test("an event may lack its id, and has the time of its server, but not one that is still to come", async (t) => {
    const site = await aSite(t);
    const times: (string | undefined)[] = [];
    for (const at of [
      "2026-11-28T11:59:00.123456789Z",
      "2026-11-28T12:59:00+01:00",
      "2026-11-28T12:00:01Z",
      "2031-01-01T00:00:00Z",
    ]) {
      const body = tokenUpdate({}, at);
      const { reports } = await site.receive({ body, headers: signed(body) });
      times.push(reports[0]?.deviceAt?.toISOString());
    }
    assert.deepEqual(times, [
      "2026-11-28T11:59:00.123Z",
      "2026-11-28T11:59:00.000Z",
      noon.toISOString(),
      noon.toISOString(),
    ]);
  });

  test("a device is known by the name that its server gives it, and by its UDID before any other", async (t) => {
    const site = await aSite(t);
    const known: unknown[] = [];
    for (const ids of [
      { udid: "u", enrollment_id: "e", ids: { id: "i", type: "Device" } },
      { udid: "u", enrollment_id: "e" },
      { udid: "", enrollment_id: "e" },
    ]) {
      const body = tokenUpdate(ids);
      const { reports } = await site.receive({ body, headers: signed(body) });
      known.push([reports[0]?.sourceDeviceId, reports[0]?.ownership]);
    }
    assert.deepEqual(known, [
      ["i", undefined],
      ["u", undefined],
      ["e", "personal"],
    ]);
  });

  test("only the first TokenUpdate is an enrolment; a later one is a sign of life", async (t) => {
    const site = await aSite(t);
    const heard: unknown[] = [];
    for (const tally of [1, 2, 2, null]) {
      const body = tokenUpdate({ token_update_tally: tally });
      const { reports, refresh } = await site.receive({ body, headers: signed(body) });
      heard.push([reports[0]?.enrolled, reports[0]?.enrolledAt, refresh]);
    }
    assert.deepEqual(heard, [
      [true, noon, ["x"]],
      [true, undefined, []],
      [true, undefined, []],
      [true, undefined, []],
    ]);
  });

  test("an owner is named by the enrolment profile, where the site has it so", async (t) => {
    const site = await aSite(t, { settings: { ownerParameter: "user" } });
    const owners: unknown[] = [];
    for (const parameters of [
      { user: "Anna@corp.example" },
      { user: "corp\\anna" },
      { user: " " },
      { name: "x" },
      null,
    ]) {
      const body = tokenUpdate({ url_params: parameters });
      const { reports } = await site.receive({ body, headers: signed(body) });
      owners.push(reports[0] !== undefined && "owner" in reports[0] ? reports[0].owner : "not spoken about");
    }
    const none = "not spoken about";
    assert.deepEqual(owners, [{ email: "Anna@corp.example" }, { name: "corp\\anna" }, none, none, none]);

    const other = await aSite(t);
    const body = tokenUpdate({ url_params: { user: "anna@corp.example" } });
    const { reports } = await other.receive({ body, headers: signed(body) });
    assert.ok(reports[0] !== undefined && !("owner" in reports[0]));
  });
});

suite("only the management system is believed", () => {
  const body = Buffer.from(`{"topic":"mdm.New"}`);
  const request = (more: Partial<ReceivedRequest>): ReceivedRequest => ({
    method: "POST",
    path: "",
    headers: new Map(),
    body,
    ...more,
  });
  const signature = (key: string): ReadonlyMap<string, string> =>
    new Map([["x-hmac-signature", createHmac("sha256", key).update(body).digest("base64")]]);

  test("by its signature, with the old or the new key", () => {
    const isGenuine = createWebhookProof({ hmacKeys: ["old", "new"], pathSecret: undefined });
    assert.ok(isGenuine(request({ headers: signature("old") })));
    assert.ok(isGenuine(request({ headers: signature("new") })));
    const written = signature("new").get("x-hmac-signature") ?? "";
    for (const wrong of [
      signature("other"),
      new Map<string, string>(),
      new Map([["x-hmac-signature", ""]]),
      new Map([["x-hmac-signature", written.replace("=", "")]]),
      new Map([["x-hmac-signature", `${written} `]]),
      new Map([["x-hmac-signature", Buffer.from(written, "base64").toString("hex")]]),
    ])
      assert.ok(!isGenuine(request({ headers: wrong })));
    assert.ok(!isGenuine(request({ headers: signature("new"), body: Buffer.from(`{"topic":"mdm.new"}`) })));
    assert.ok(!isGenuine(request({ headers: signature("new"), path: "/x" })));
  });

  test("by the secret in its path, and by both where both are set", () => {
    const byPath = createWebhookProof({ hmacKeys: [], pathSecret });
    assert.ok(byPath(request({ path: `/${pathSecret}` })));
    for (const path of ["", "/", `/${pathSecret}/`, `/${pathSecret.slice(1)}`, pathSecret])
      assert.ok(!byPath(request({ path })), path);
    const byBoth = createWebhookProof({ hmacKeys: ["key"], pathSecret });
    assert.ok(byBoth(request({ path: `/${pathSecret}`, headers: signature("key") })));
    assert.ok(!byBoth(request({ path: `/${pathSecret}` })));
    assert.ok(!byBoth(request({ headers: signature("key") })));
  });

  test("never without any secret", () => {
    assert.throws(() => createWebhookProof({ hmacKeys: [], pathSecret: undefined }), RangeError);
  });

  test("strangers and other methods are told nothing", async (t) => {
    const site = await aSite(t, { kind: "micromdm" });
    const event = site.fake.event("mdm.CheckOut", aSimulatedIphone(), { raw_payload: "" });
    const genuine: ReceivedRequest = {
      ...event,
      method: "POST",
      path: `/${pathSecret}`,
      body: Buffer.from(event.body),
    };
    for (const [change, httpStatus] of [
      [{ path: "" }, 401],
      [{ path: "/guess" }, 401],
      [{ method: "GET" }, 405],
      [{ method: "GET", path: "" }, 401],
    ] as const) {
      const received = await site.receive({ ...genuine, ...change });
      assert.deepEqual([received.reports, received.refresh], [[], []]);
      assert.deepEqual(received.answer([]), { httpStatus });
    }
    assert.equal((await site.receive(genuine)).reports.length, 1);
  });
});
