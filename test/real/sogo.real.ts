/** The harness itself: whether the real server really is one, and really goes away. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { get } from "node:https";
import { after, before, suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { child, children, element, text } from "../../src/activesync/document.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { eventually } from "../support/eventually.ts";
import { openBrowser, userAgents } from "./support/browser.ts";
import { people, type Person } from "./support/people.ts";
import { isAlive, processesIn } from "./support/process-table.ts";
import { askRaw, basic } from "./support/raw-phone.ts";
import { letter, seededSubjects } from "./support/seed.ts";
import { startSogo, type Sogo } from "./support/sogo.ts";

const { alice, bob } = people;

suite("a real SOGo", () => {
  let sogo: Sogo;
  before(async () => {
    sogo = await startSogo();
  });
  after(() => sogo.stop());

  test("says what it speaks to those who log in, and nothing to others", async () => {
    const stranger = await fetch(sogo.activesyncUrl, { method: "OPTIONS" });
    assert.equal(stranger.status, 401);
    const known = await fetch(sogo.activesyncUrl, { method: "OPTIONS", headers: { authorization: basic(alice) } });
    assert.equal(known.status, 200);
    assert.equal(known.headers.get("ms-asprotocolversions"), "2.5,12.0,12.1,14.0,14.1");
  });

  test("has no policy for phones", async () => {
    const policy = element("Provision:Policy", element("Provision:PolicyType", "MS-EAS-Provisioning-WBXML"));
    const body = element("Provision:Provision", element("Provision:Policies", policy));
    const { document } = await ask("Provision", body);
    const answered = document && child(document, "Provision:Policies");
    assert.equal(answered && text(only(answered, "Provision:Policy"), "Provision:Status"), "2");
  });

  test("shows the four seeded messages, also to the second person", async () => {
    for (const person of [alice, bob]) {
      assert.deepEqual((await openInbox(person)).subjects, seededSubjects);
    }
  });

  test("wakes a waiting Ping when a message is delivered", async () => {
    const inbox = await openInbox(alice);
    // The key moves once more after a Sync that brought messages; a Ping before that would return at once.
    const settled = await sync(alice, inbox.id, inbox.syncKey);
    const startedAt = Date.now();
    const waiting = ping(inbox.id, 60);
    // SOGo looks once at the beginning; the message comes after that.
    await eventually(async () => assert.match(await sogo.log(), /<Ping xmlns="Ping:">/));
    await setTimeout(500);
    await sogo.deliver("alice", letter({ to: "alice", subject: "News", text: "Something has happened." }));
    const answer = await waiting;
    assert.equal(answer && text(answer, "Ping:Status"), "2");
    assert.ok(Date.now() - startedAt < 30_000, "long before the minute is over");
    assert.deepEqual((await sync(alice, inbox.id, settled.syncKey)).subjects, ["News"]);
  });

  test("hands mail to a colleague at once, and says so when there is nobody of that name", async () => {
    const known = await sendMail(alice, bob.address, "For Bob");
    assert.equal(known.httpStatus, 200);
    assert.equal(known.document, undefined);
    assert.deepEqual((await openInbox(bob)).subjects, [...seededSubjects, "For Bob"]);
    const unknown = await sendMail(alice, "nobody@postern.test", "For nobody");
    assert.equal(unknown.document && text(unknown.document, "ComposeMail:Status"), "120");
  });

  test("synchronises a folder that was made for the test", async () => {
    await sogo.createFolder("bob", "Projects");
    const folders = await folderSync(bob);
    const made = folders.find((folder) => folder.name === "Projects");
    assert.equal(made?.type, "12");
  });

  test("tells of every request in its log", async () => {
    const log = await sogo.log();
    assert.match(log, /<FolderSync xmlns="FolderHierarchy:">/);
    assert.match(await sogo.accessLog(), /POST \/Microsoft-Server-ActiveSync\?Cmd=FolderSync/);
  });

  test("shows webmail to a browser that logs in", async () => {
    const browser = openBrowser(sogo.url, userAgents.laptop);
    assert.match((await browser.get("/SOGo/")).text, /LoginController/);
    assert.equal(await browser.logIn({ ...bob, password: "wrong" }), false);
    assert.equal(await browser.logIn(bob), true);
    assert.deepEqual(await browser.inbox(bob), [...seededSubjects, "For Bob"]);
  });

  test("is the same server over TLS, for those who trust its certificate", async () => {
    const ca = await readFile(sogo.certificateFile);
    const httpStatus = await new Promise((resolve, reject) => {
      get(`${sogo.tlsUrl}/SOGo/`, { ca, agent: false }, (answer) => resolve(answer.resume().statusCode)).on(
        "error",
        reject,
      );
    });
    assert.equal(httpStatus, 200);
  });

  test("runs beside a second one that knows nothing of the first", async () => {
    const other = await startSogo({ workers: 3 });
    try {
      assert.notEqual(other.url, sogo.url);
      await other.deliver("bob", letter({ to: "bob", subject: "Only here", text: "." }));
      const there = openBrowser(other.url, userAgents.laptop);
      assert.equal(await there.logIn(bob), true);
      assert.deepEqual(await there.inbox(bob), [...seededSubjects, "Only here"]);
      const here = openBrowser(sogo.url, userAgents.laptop);
      assert.equal(await here.logIn(bob), true);
      assert.deepEqual(await here.inbox(bob), [...seededSubjects, "For Bob"]);
    } finally {
      await other.stop();
    }
  });

  function ask(command: string, body: Element, person = alice) {
    return askRaw(sogo.activesyncUrl, person, { command, body, deviceId: `RAW${person.name}` });
  }

  async function folderSync(person = alice) {
    const body = element("FolderHierarchy:FolderSync", element("FolderHierarchy:SyncKey", "0"));
    const { document } = await ask("FolderSync", body, person);
    assert.ok(document);
    return children(only(document, "FolderHierarchy:Changes"), "FolderHierarchy:Add").map((folder) => ({
      id: text(folder, "FolderHierarchy:ServerId") ?? "",
      name: text(folder, "FolderHierarchy:DisplayName"),
      type: text(folder, "FolderHierarchy:Type"),
    }));
  }

  async function openInbox(person = alice) {
    const inbox = (await folderSync(person)).find((folder) => folder.type === "2");
    assert.ok(inbox);
    const primed = await sync(person, inbox.id, "0");
    return { id: inbox.id, ...(await sync(person, inbox.id, primed.syncKey)) };
  }

  /** An answer without a body says that nothing has changed. */
  async function sync(person: Person, id: string, syncKey: string) {
    const collection = [element("AirSync:SyncKey", syncKey), element("AirSync:CollectionId", id)];
    const wanted = syncKey === "0" ? undefined : element("AirSync:GetChanges");
    const body = element(
      "AirSync:Sync",
      element("AirSync:Collections", element("AirSync:Collection", collection, wanted)),
    );
    const { document } = await ask("Sync", body, person);
    if (document === undefined) return { syncKey, subjects: [] };
    const answered = only(only(document, "AirSync:Collections"), "AirSync:Collection");
    const commands = child(answered, "AirSync:Commands");
    const added = commands === undefined ? [] : children(commands, "AirSync:Add");
    return {
      syncKey: text(answered, "AirSync:SyncKey") ?? "",
      subjects: added.map((add) => text(only(add, "AirSync:ApplicationData"), "Email:Subject")),
    };
  }

  function sendMail(from: Person, to: string, subject: string) {
    const mime = `From: ${from.address}\r\nTo: ${to}\r\nSubject: ${subject}\r\n\r\nHello.\r\n`;
    const clientId = element("ComposeMail:ClientId", crypto.randomUUID());
    return ask(
      "SendMail",
      element("ComposeMail:SendMail", clientId, element("ComposeMail:Mime", Buffer.from(mime))),
      from,
    );
  }

  async function ping(id: string, seconds: number) {
    const folder = element("Ping:Folder", element("Ping:Id", id), element("Ping:Class", "Email"));
    const body = element(
      "Ping:Ping",
      element("Ping:HeartbeatInterval", String(seconds)),
      element("Ping:Folders", folder),
    );
    return (await ask("Ping", body)).document;
  }
});

test("a stopped server leaves neither a process nor a file behind", async () => {
  const sogo = await startSogo({ workers: 2 });
  const running = processesIn(sogo.directory);
  assert.ok(running.length > 10, "several daemons and their children");
  await sogo.stop();
  assert.deepEqual(running.filter(isAlive), []);
  assert.equal(existsSync(sogo.directory), false);
});

test("a test that is killed leaves neither a process nor a file behind", async () => {
  const program = fileURLToPath(new URL("support/start-and-wait.ts", import.meta.url));
  const tests = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  const line = await new Promise<string>((resolve) => tests.stdout.setEncoding("utf8").once("data", resolve));
  const directory = line.trim();
  const running = processesIn(directory);
  assert.ok(running.length > 10, "several daemons and their children");
  tests.kill("SIGKILL");
  await eventually(() => assert.equal(existsSync(directory), false), 20_000);
  assert.deepEqual(running.filter(isAlive), []);
});

function only(parent: Element, tag: Element["tag"]): Element {
  const found = child(parent, tag);
  assert.ok(found, `no ${tag} in ${parent.tag}`);
  return found;
}
