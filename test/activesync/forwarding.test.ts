/** What goes upstream for a phone in quarantine, and what of the answer comes down: never anything that was not read. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { CommandName } from "../../src/activesync/commands.ts";
import { element } from "../../src/activesync/document.ts";
import type { Part } from "../../src/activesync/document.ts";
import { encode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { Refusal, UpstreamFailure } from "../../src/gateway/errors.ts";
import type { UpstreamAnswer } from "../../src/gateway/protocol.ts";
import { folderSync, inbox, sync } from "../support/activesync-documents.ts";
import { anAnswer } from "../support/mail-request.ts";
import { aHeldPhone, answerFrom, documentFrom, hexFrom, ourKey } from "../support/remediation.ts";

const answering = (document: Element, headers: Readonly<Record<string, string>> = {}): UpstreamAnswer =>
  anAnswer({ body: encode(document), headers });

const policies = element(
  "Provision:Provision",
  element("Provision:Policies", element("Provision:Policy", element("Provision:PolicyType", "x"))),
);
const policiesAnswer = element(
  "Provision:Provision",
  element("Settings:DeviceInformation", element("Settings:Status", "1")),
  element("Provision:Status", "1"),
  element("Provision:RemoteWipe"),
);
const folder = (tag: "Add" | "Update", id: string, type: string): Element =>
  element(
    `FolderHierarchy:${tag}`,
    element("FolderHierarchy:ServerId", id),
    element("FolderHierarchy:ParentId", "0"),
    element("FolderHierarchy:DisplayName", "Any"),
    element("FolderHierarchy:Type", type),
  );
const hierarchy = (key: string, ...changes: readonly Part[]): Element =>
  element(
    "FolderHierarchy:FolderSync",
    element("FolderHierarchy:Status", "1"),
    element("FolderHierarchy:SyncKey", key),
    element("FolderHierarchy:Changes", element("FolderHierarchy:Count", "1"), ...changes),
  );
const settings = (...parts: readonly Part[]): Element => element("Settings:Settings", ...parts);
const status = (text: string): Element => element("Settings:Status", text);

suite("policies and wipe orders", () => {
  test("go up and come down as they are", async () => {
    for (const version of ["12.1", "14.0", "14.1"] as const) {
      const phone = aHeldPhone({ version, upstream: () => answering(policiesAnswer) });
      assert.deepEqual(documentFrom(await phone.ask("Provision", policies)), policiesAnswer);
      assert.deepEqual(phone.forwarded, [policies]);
    }
  });

  test("go up even when they are asked for with an empty document", async () => {
    const empty = element("Provision:Provision");
    const phone = aHeldPhone({ upstream: () => answering(policiesAnswer) });
    await phone.ask("Provision", { ...empty, endTag: true });
    assert.deepEqual(phone.forwarded, [{ ...empty, endTag: true }]);
  });
});

suite("the list of folders", () => {
  test("comes from upstream, under upstream's keys, and what kind each folder is is remembered", async () => {
    const all = hierarchy("7", folder("Add", "a", "2"), folder("Add", "b", "12"), folder("Add", "c", "8"));
    const phone = aHeldPhone({ upstream: () => answering(all) });
    assert.deepEqual(documentFrom(await phone.ask("FolderSync", folderSync("0"))), all);
    assert.deepEqual(phone.forwarded, [folderSync("0")]);
    assert.deepEqual(phone.mailbox().folders, new Map(Object.entries({ a: 2, b: 12, c: 8 })));
  });

  test("is asked anew of a phone that has it from us", async () => {
    const phone = aHeldPhone();
    const reply = await phone.ask("FolderSync", folderSync(ourKey("hierarchy")));
    assert.equal(hexFrom(reply), "03016a000007564c0339000101");
    assert.deepEqual(phone.forwarded, []);
  });

  const down = {
    "does not answer": () => {
      throw new UpstreamFailure("upstream-unreachable", undefined);
    },
    "does not answer in time": () => {
      throw new UpstreamFailure("upstream-timeout", undefined);
    },
    "is behind something that says it is away": () => anAnswer({ httpStatus: 502, body: "<html>" }),
    "is overloaded": () => anAnswer({ httpStatus: 503 }),
    "is behind something that waits in vain": () => anAnswer({ httpStatus: 504 }),
  } as const;
  for (const [title, upstream] of Object.entries(down)) {
    test(`has not changed while upstream ${title}, so that the notice can be read`, async () => {
      const reply = await aHeldPhone({ upstream }).ask("FolderSync", folderSync("1"));
      assert.equal(hexFrom(reply), "03016a000007564c0331000152033100014e57033000010101");
    });

    test(`cannot be made up for a phone that has none while upstream ${title}`, async () => {
      const phone = aHeldPhone({ upstream });
      const asked = phone.ask("FolderSync", folderSync("0")).then(
        (reply) => answerFrom(reply).httpStatus,
        (error: unknown) => (error instanceof UpstreamFailure ? 503 : error),
      );
      assert.equal(await asked, title.includes("behind") ? (title.includes("vain") ? 504 : 502) : 503);
    });
  }

  test("is not called unchanged when upstream said something that cannot be used", async () => {
    for (const body of ["<html>", encode(element("FolderHierarchy:FolderSync", element("Email:Subject", "x")))]) {
      const phone = aHeldPhone({ upstream: () => anAnswer({ body }) });
      await assert.rejects(phone.ask("FolderSync", folderSync("1")), { code: "upstream-answer-refused" });
    }
  });

  test("that can be read in two ways is upstream's fault, and not the phone's", async () => {
    const twice = hierarchy(
      "7",
      element("FolderHierarchy:Add", folder("Add", "a", "2").content, element("FolderHierarchy:Type", "8")),
    );
    const phone = aHeldPhone({ upstream: () => answering(twice) });
    await assert.rejects(
      phone.ask("FolderSync", folderSync("0")),
      (error) => error instanceof UpstreamFailure && error.code === "upstream-answer-refused",
    );
  });
});

suite("settings", () => {
  const information = element("Settings:DeviceInformation", element("Settings:Set", element("Settings:Model", "x")));
  const user = element("Settings:UserInformation", element("Settings:Get"));
  const password = element("Settings:DevicePassword", element("Settings:Set", element("Settings:Password", "x")));
  const absence = element("Settings:Oof", element("Settings:Get", element("Settings:BodyType", "TEXT")));
  const rights = element("Settings:RightsManagementInformation", element("Settings:Get"));
  const denied = (tag: "Settings:Oof" | "Settings:RightsManagementInformation"): Element => element(tag, status("3"));

  test("that say who the phone is go up", async () => {
    const down = settings(status("1"), element("Settings:UserInformation", status("1")));
    const phone = aHeldPhone({ upstream: () => answering(down) });
    assert.deepEqual(documentFrom(await phone.ask("Settings", settings(information, user, password))), down);
    assert.deepEqual(phone.forwarded, [settings(information, user, password)]);
  });

  test("that act on mail are denied here", async () => {
    const phone = aHeldPhone();
    assert.deepEqual(
      documentFrom(await phone.ask("Settings", settings(absence))),
      settings(status("1"), denied("Settings:Oof")),
    );
    assert.deepEqual(
      documentFrom(await phone.ask("Settings", settings(rights, absence))),
      settings(status("1"), denied("Settings:RightsManagementInformation"), denied("Settings:Oof")),
    );
    assert.deepEqual(phone.forwarded, []);
  });

  test("of both kinds are parted, and answered as one", async () => {
    const down = settings(status("1"), element("Settings:DeviceInformation", status("1")));
    const phone = aHeldPhone({ upstream: () => answering(down) });
    assert.deepEqual(
      documentFrom(await phone.ask("Settings", settings(absence, information))),
      settings(status("1"), element("Settings:DeviceInformation", status("1")), denied("Settings:Oof")),
    );
    assert.deepEqual(phone.forwarded, [settings(information)]);
  });

  test("are refused as a whole where upstream refuses them as a whole", async () => {
    const down = settings(status("142"));
    const phone = aHeldPhone({ upstream: () => answering(down) });
    assert.deepEqual(documentFrom(await phone.ask("Settings", settings(absence, information))), down);
  });

  test("that nobody knows go nowhere", async () => {
    const phone = aHeldPhone({ upstream: () => answering(settings(status("1"))) });
    await phone.ask("Settings", settings(element("18:0x3f", "x"), element("Email:Body", "x"), "text", user));
    assert.deepEqual(phone.forwarded, [settings(user)]);
  });
});

suite("only what was read goes up, and only what was read comes down", () => {
  const forwarded: readonly (readonly [CommandName, Element])[] = [
    ["Provision", policies],
    ["FolderSync", folderSync("1")],
    ["Settings", settings(element("Settings:UserInformation", element("Settings:Get")))],
  ];

  for (const [command, body] of forwarded) {
    test(`${command}: a body of another command is refused`, async () => {
      for (const other of [sync({ key: "0", id: inbox }), ...forwarded.map(([, each]) => each)]) {
        if (other.tag === body.tag) continue;
        const phone = aHeldPhone();
        await assert.rejects(
          phone.ask(command, other),
          (error) => error instanceof Refusal && error.code === "command-contradicts-body",
        );
        assert.deepEqual(phone.forwarded, []);
      }
    });

    test(`${command}: an answer with anything of a mailbox in it stays here`, async () => {
      const smuggled: readonly Element[] = [
        sync({ key: "0", id: inbox }),
        element(body.tag, element("Email:Subject", "x")),
        element(body.tag, element("Settings:Status", "1"), element("Provision:Policies", element("AirSync:Add"))),
        element(body.tag, element("AirSyncBase:Body", "x")),
        element(body.tag, element("254:0x05", "x")),
      ];
      for (const document of smuggled) {
        const phone = aHeldPhone({ upstream: () => answering(document) });
        await assert.rejects(phone.ask(command, body), { code: "upstream-answer-refused" });
      }
    });

    test(`${command}: an answer that is no document stays here`, async () => {
      for (const answer of [
        anAnswer({ body: "<html>" }),
        anAnswer({ body: encode(body).subarray(0, -1) }),
        anAnswer({ body: "x", headers: { "content-encoding": "gzip" } }),
      ]) {
        const phone = aHeldPhone({ upstream: () => answer });
        await assert.rejects(phone.ask(command, body), { code: "upstream-answer-refused" });
      }
    });

    test(`${command}: an HTTP status comes down with what steers a phone, and without its body`, async () => {
      for (const httpStatus of [401, 403, 449, 451, 500, 507]) {
        const answer = anAnswer({
          httpStatus,
          body: "Subject: a secret",
          headers: {
            "www-authenticate": "Basic",
            "x-ms-location": "https://gate.example/",
            "set-cookie": "a=b",
            "x-other": "1",
          },
        });
        const reply = answerFrom(await aHeldPhone({ upstream: () => answer }).ask(command, body));
        assert.equal(reply.httpStatus, httpStatus);
        assert.equal(reply.body, undefined);
        assert.deepEqual(reply.headers, [
          ["www-authenticate", "Basic"],
          ["x-ms-location", "https://gate.example/"],
        ]);
      }
    });

    test(`${command}: what upstream says to the phone beside its document comes down too`, async () => {
      const headers = {
        "ms-asprotocolversions": "14.1",
        "x-ms-rp": "14.1",
        "content-type": "text/html",
        "content-length": "9",
      };
      const phone = aHeldPhone({ upstream: () => answering(element(body.tag), headers) });
      assert.deepEqual(answerFrom(await phone.ask(command, body)).headers, [
        ["Content-Type", "application/vnd.ms-sync.wbxml"],
        ["ms-asprotocolversions", "14.1"],
        ["x-ms-rp", "14.1"],
      ]);
    });

    test(`${command}: an empty answer is an empty answer`, async () => {
      const reply = answerFrom(await aHeldPhone({ upstream: () => anAnswer({}) }).ask(command, body));
      assert.deepEqual([reply.httpStatus, reply.body], [200, undefined]);
    });
  }

  test("nothing else goes up at all", async () => {
    const commands: readonly (readonly [CommandName, Element])[] = [
      ["Sync", sync({ key: "5", id: inbox })],
      ["MoveItems", element("Move:MoveItems")],
      ["Search", element("Search:Search")],
      ["SendMail", element("ComposeMail:SendMail")],
      ["FolderCreate", element("FolderHierarchy:FolderCreate")],
      ["ItemOperations", element("ItemOperations:ItemOperations")],
      ["GetItemEstimate", element("GetItemEstimate:GetItemEstimate")],
      ["MeetingResponse", element("MeetingResponse:MeetingResponse")],
      ["ResolveRecipients", element("ResolveRecipients:ResolveRecipients")],
      ["ValidateCert", element("ValidateCert:ValidateCert")],
      ["Find", element("Find:Find")],
    ];
    for (const [command, body] of commands) {
      const phone = aHeldPhone();
      await phone.ask(command, body);
      assert.deepEqual(phone.forwarded, [], command);
    }
  });
});
