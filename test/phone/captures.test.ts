/** The phone against the answers that real servers once gave. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { PhoneError } from "../../src/phone/errors.ts";
import type { Phone } from "../../src/phone/phone.ts";
import { captures, readCapture } from "../support/captures.ts";
import { asked, newPhone, subjects, usedPhone } from "./support/phones.ts";
import type { Answer } from "./support/scripted-server.ts";

const seeded = ["Grüße 🌍", "A message with an attachment", "An HTML message", "A plain message"];

/** `007-sync`, as it came over the wire; nothing where the captured answer had no body. */
function played(name: string, hasBody = true): Answer {
  const head = readCapture(`${name}.response.http`).toString("latin1");
  const headers: Record<string, string> = {};
  for (const [, key = "", value = ""] of head.matchAll(/^(MS-[\w-]+): (.*?)\r?$/gmu)) headers[key] = value;
  return {
    httpStatus: Number(/^HTTP\/1\.1 (\d+)/u.exec(head)?.[1]),
    headers,
    ...(hasBody ? { body: readCapture(`${name}.response.wbxml`) } : {}),
  };
}

suite("a phone in front of SOGo", () => {
  test("sees the four messages, reads one, and is told of a fifth", async (t) => {
    const { phone, server } = await newPhone(t, [
      played("001-options", false),
      played("002-provision"),
      played("004-foldersync"),
      played("006-sync"),
      played("007-sync"),
      played("012-itemoperations"),
      played("014-ping"),
      played("015-ping"),
      played("016-sync"),
      played("017-sync"),
      played("009-sync", false),
      played("018-sendmail", false),
      played("010-getitemestimate"),
    ]);
    const abilities = await phone.options();
    assert.deepEqual(abilities.kind === "ok" && abilities.versions, ["2.5", "12.0", "12.1", "14.0", "14.1"]);
    assert.deepEqual(await phone.provision(), { kind: "ok", policy: "none" });
    await phone.folderSync();
    assert.deepEqual(
      phone.folders().map((folder) => [folder.name, folder.class]),
      [
        ["INBOX", "Email"],
        ["Drafts", "Email"],
        ["Sent", "Email"],
        ["Trash", "Email"],
        ["Junk", "Email"],
        ["Templates", "Email"],
        ["Personal Calendar", "Calendar"],
        ["Personal Calendar", "Tasks"],
        ["Personal Address Book", "Contacts"],
      ],
    );
    await phone.sync("Inbox");
    assert.deepEqual(subjects(phone), seeded);
    const [, , html] = phone.inbox();
    assert.deepEqual(html?.from, { name: "Carol Clerk", address: "carol@postern.test" });
    assert.ok(html);
    const fetched = await phone.fetch(html, "html");
    assert.deepEqual(fetched.kind === "ok" && [fetched.body.type, fetched.text], [
      "html",
      "Hello Alice\n\nThis is the HTML part.",
    ]);
    assert.deepEqual(await phone.ping(10), { kind: "expired" });
    assert.deepEqual(await phone.ping(120), { kind: "changes", folders: [html.folder] });
    await phone.sync("Inbox");
    const [newest] = phone.inbox();
    assert.equal(newest?.subject, "New mail during Ping");
    await phone.markRead(newest);
    assert.deepEqual([phone.pending(), phone.inbox()[0]?.read], [[], true]);
    assert.equal((await phone.send({ to: "bob@postern.test", subject: "Hello", text: "Hello." })).kind, "ok");
    assert.deepEqual(await phone.getItemEstimate("Inbox"), { kind: "ok", items: 1 });
    assert.equal(server.received.length, 13);
  });

  test("asks in full when the server does not remember, and shorter when it is told so", async (t) => {
    const { phone, server } = await usedPhone(t, [
      played("078-sync"),
      played("009-sync", false),
      played("089-ping"),
      played("014-ping"),
    ]);
    await phone.sync("Inbox", { repeat: true });
    assert.deepEqual(await phone.ping(9999), { kind: "expired" });
    assert.deepEqual(asked(server), ["Sync", "Sync k1 inbox", "Ping", "Ping"]);
  });

  test("sees the same in 12.1", async (t) => {
    const script = [played("059-foldersync"), played("060-sync"), played("061-sync")];
    const { phone } = await newPhone(t, script, { protocolVersion: "12.1" });
    await phone.folderSync();
    await phone.sync("Inbox");
    for (const subject of seeded) assert.ok(subjects(phone).includes(subject), subject);
  });
});

suite("a phone in front of Z-Push", () => {
  test("takes the policy and gets all messages with the first key", async (t) => {
    const script = [
      played("095-provision"),
      played("096-provision"),
      played("097-settings"),
      played("098-foldersync"),
      played("100-sync"),
      played("102-sync", false),
    ];
    const { phone, server } = await newPhone(t, script, { protocolVersion: "14.0" });
    assert.deepEqual(await phone.provision(), { kind: "ok", policy: "accepted" });
    await phone.folderSync();
    await phone.sync("Inbox");
    assert.equal(phone.inbox().length, 9);
    const html = phone.inbox().find((message) => message.subject === "An HTML message");
    assert.equal(html?.preview, "Hello Alice This is the HTML part.", "Z-Push sends HTML where text was wished for");
    assert.match(String(server.received[2]?.headers["x-ms-policykey"]), /^\d{5,}$/u);
  });

  test("takes it again at HTTP 449", async (t) => {
    const script = [
      { ...played("090-settings", false), headers: {} },
      played("091-provision"),
      played("092-provision"),
      played("093-settings"),
      played("102-sync", false),
    ];
    const { phone, server } = await usedPhone(t, script, { protocolVersion: "14.0" });
    assert.equal((await phone.sync("Inbox")).kind, "ok");
    assert.deepEqual(asked(server), ["Sync k1 inbox", "Provision", "Provision", "Settings", "Sync k1 inbox"]);
    assert.equal(server.received.at(-1)?.headers["x-ms-policykey"], "325161931");
  });

  test("does not stumble over an answer that ends in the middle", async (t) => {
    const { phone } = await newPhone(t, [played("113-provision")], { protocolVersion: "14.0" });
    assert.deepEqual(await phone.provision(), { kind: "http", httpStatus: 500 });
  });
});

const acts: Readonly<Record<string, (phone: Phone) => Promise<unknown>>> = {
  FolderSync: (phone) => phone.folderSync(),
  Sync: (phone) => phone.sync("Inbox"),
  Ping: (phone) => phone.ping(60),
  Provision: (phone) => phone.provision(),
  ItemOperations: (phone) => phone.fetch({ folder: "inbox", id: "m1" }),
  GetItemEstimate: (phone) => phone.getItemEstimate("Inbox"),
  SendMail: (phone) => phone.send({ to: "bob@postern.test", subject: "Hello", text: "Hello." }),
};

test("whatever a real server has answered ends in an outcome or in an error with a code", async (t) => {
  const answers = captures.filter(({ direction, command }) => direction === "response" && command in acts);
  assert.ok(answers.length > 60);
  for (const { command, bytes, file } of answers) {
    const { phone } = await usedPhone(t, (_request, count) => (count === 1 ? { body: bytes } : 503));
    try {
      assert.ok(await acts[command]?.(phone), file);
    } catch (error) {
      assert.ok(error instanceof PhoneError, `${file}: ${String(error)}`);
    } finally {
      phone.close();
    }
  }
});
