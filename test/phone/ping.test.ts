import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { child, children, element, text } from "../../src/activesync/document.ts";
import { folders, nothing, pinged, pingedFolders, threeFolders } from "./support/documents.ts";
import { asked, newPhone, usedPhone, withCode } from "./support/phones.ts";
import type { Received } from "./support/scripted-server.ts";

function wish(
  request: Received | undefined,
): { seconds: string | undefined; folders: (string | undefined)[] } | "short" {
  if (request?.root === undefined) return "short";
  const list = child(request.root, "Ping:Folders");
  return {
    seconds: text(request.root, "Ping:HeartbeatInterval"),
    folders: (list === undefined ? [] : children(list, "Ping:Folder")).map((folder) => text(folder, "Ping:Id")),
  };
}

suite("a waiting phone", () => {
  test("names folders and heartbeat once, and then relies on the server's memory", async (t) => {
    const { phone, server } = await usedPhone(t, [pinged(1), pinged(1), pingedFolders("inbox")]);
    assert.deepEqual(await phone.ping(480), { kind: "expired" });
    assert.deepEqual(await phone.ping(480), { kind: "expired" });
    assert.deepEqual(await phone.ping(300), { kind: "changes", folders: ["inbox"] });
    const whole = ["inbox", "calendar", "contacts"];
    assert.deepEqual(server.received.map(wish), [
      { seconds: "480", folders: whole },
      "short",
      { seconds: "300", folders: whole },
    ]);
    assert.equal(server.received[0]?.headers["x-ms-policykey"], undefined);
  });

  test("says everything every time where it was built that way", async (t) => {
    const { phone, server } = await usedPhone(t, [pinged(1), pinged(1)], { pingInFull: true });
    await phone.ping(480);
    await phone.ping(480);
    assert.ok(server.received.every((request) => wish(request) !== "short"));
  });

  test("resends in full what the server has forgotten", async (t) => {
    const { phone, server } = await usedPhone(t, [pinged(1), pinged(3), pingedFolders("inbox")]);
    await phone.ping(480);
    assert.deepEqual(await phone.ping(480), { kind: "changes", folders: ["inbox"] });
    assert.deepEqual(
      server.received.map((request) => wish(request) === "short"),
      [false, true, false],
    );
  });

  test("does not resend in full for ever", async (t) => {
    const { phone, server } = await usedPhone(t, () => pinged(3));
    assert.deepEqual(await phone.ping(480), { kind: "command-status", command: "Ping", commandStatus: 3 });
    assert.equal(server.received.length, 1);
  });

  test("takes the heartbeat that it is granted, and remembers the bound", async (t) => {
    const bound = element("Ping:HeartbeatInterval", "60");
    const { phone, server } = await usedPhone(t, [pinged(5, bound), pinged(1), pinged(1)]);
    assert.deepEqual(await phone.ping(3600), { kind: "expired" });
    await phone.ping(3600);
    await phone.ping(30);
    assert.deepEqual(
      server.received.map((request) => {
        const said = wish(request);
        return said === "short" ? said : said.seconds;
      }),
      ["3600", "60", "short", "30"],
    );
  });

  test("watches no more folders than it is granted", async (t) => {
    const { phone, server } = await usedPhone(t, [pinged(6, element("Ping:MaxFolders", "1")), pinged(1)]);
    assert.deepEqual(await phone.ping(480), { kind: "expired" });
    assert.deepEqual(wish(server.received[1]), { seconds: "480", folders: ["inbox"] });
  });

  test("fetches the folders at status 7", async (t) => {
    const { phone, server } = await usedPhone(t, [pinged(7), folders("h2", { add: [["junk", "Junk", 12]] })]);
    assert.deepEqual(await phone.ping(480), { kind: "folders-changed" });
    assert.deepEqual(asked(server), ["Ping", "FolderSync h1"]);
    assert.equal(phone.folders().length, 4);
  });

  for (const status of [4, 8]) {
    test(`tells of status ${status}`, async (t) => {
      const { phone } = await usedPhone(t, [pinged(status)]);
      assert.deepEqual(await phone.ping(480), { kind: "command-status", command: "Ping", commandStatus: status });
    });
  }

  test("gives up on a server that is never content", async (t) => {
    const { phone, server } = await usedPhone(t, (_request, count) =>
      pinged(5, element("Ping:HeartbeatInterval", String(100 * count))),
    );
    assert.deepEqual(await phone.ping(3600), { kind: "command-status", command: "Ping", commandStatus: 5 });
    assert.equal(server.received.length, 4);
  });

  test("accepts no news without folders, no bound without a number, and no empty answer", async (t) => {
    const { phone } = await usedPhone(t, [pinged(2), pinged(5), pinged(6), nothing]);
    for (let round = 0; round < 4; round += 1) await assert.rejects(phone.ping(480), withCode("answer-unreadable"));
  });

  test("has nothing to wait for before it has synchronised anything", async (t) => {
    const { phone, server } = await newPhone(t, [folders("h1", threeFolders)]);
    await phone.folderSync();
    assert.deepEqual(await phone.ping(480), { kind: "nothing-to-watch" });
    assert.equal(server.received.length, 1);
  });

  test("stops waiting when it is told to", async (t) => {
    const { phone, server } = await usedPhone(t, ["silent"]);
    const stop = new AbortController();
    const waiting = phone.ping(480, stop.signal);
    await server.arrived(1);
    stop.abort();
    assert.deepEqual(await waiting, { kind: "stopped" });
    assert.equal(phone.journal().at(-1)?.failure, "stopped");
  });
});
