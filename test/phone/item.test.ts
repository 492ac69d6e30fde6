import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { child, element, text } from "../../src/activesync/document.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { nothing, synced } from "./support/documents.ts";
import { usedPhone, withCode } from "./support/phones.ts";

function message(...data: readonly Element[]): Element {
  const id = element("AirSync:ServerId", "m2");
  return synced("k2", { commands: [element("AirSync:Add", id, element("AirSync:ApplicationData", data))] });
}

function fetched(status: string, ...data: readonly Element[]): Element {
  const properties = element("ItemOperations:Properties", data);
  const fetch = element("ItemOperations:Fetch", element("ItemOperations:Status", status), properties);
  return element(
    "ItemOperations:ItemOperations",
    element("ItemOperations:Status", "1"),
    element("ItemOperations:Response", fetch),
  );
}

const oldNews = { folder: "inbox", id: "m1" };

suite("a message on the phone", () => {
  const bodies: [title: string, data: Element, preview: string][] = [
    [
      "in text",
      element("AirSyncBase:Body", element("AirSyncBase:Type", "1"), element("AirSyncBase:Data", "Hello\r\n  Alice")),
      "Hello Alice",
    ],
    [
      "in HTML",
      element("AirSyncBase:Body", element("AirSyncBase:Type", "2"), element("AirSyncBase:Data", "<p>Hello<br>Alice")),
      "Hello Alice",
    ],
    [
      "as a mail of its own",
      element("AirSyncBase:Body", element("AirSyncBase:Type", "4"), element("AirSyncBase:Data", "A: b\r\n\r\nHello")),
      "Hello",
    ],
    [
      "in bytes",
      element(
        "AirSyncBase:Body",
        element("AirSyncBase:Type", "1"),
        element("AirSyncBase:Data", Buffer.from("Grüße\0")),
      ),
      "Grüße\0",
    ],
    [
      "of a type that nobody knows",
      element("AirSyncBase:Body", element("AirSyncBase:Type", "toString"), element("AirSyncBase:Data", "Hello")),
      "Hello",
    ],
    ["of 2.5", element("Email:Body", "Hello"), "Hello"],
    ["of 2.5 as a mail of its own", element("Email:MIMEData", "A: b\n\nHello"), "Hello"],
  ];
  for (const [title, data, preview] of bodies) {
    test(`may have a body ${title}`, async (t) => {
      const { phone } = await usedPhone(t, [message(data)]);
      await phone.sync("Inbox");
      assert.equal(phone.inbox().find(({ id }) => id === "m2")?.preview, preview);
    });
  }

  const senders: [header: string, name: string, address: string][] = [
    ['"Carol Clerk" <carol@postern.test>', "Carol Clerk", "carol@postern.test"],
    ["Carol <carol@postern.test>", "Carol", "carol@postern.test"],
    ['"Clerk, \\"C\\"" <carol@postern.test>', 'Clerk, "C"', "carol@postern.test"],
    ["carol@postern.test", "", "carol@postern.test"],
    ["<carol@postern.test>", "", "carol@postern.test"],
    ["", "", ""],
  ];
  for (const [header, name, address] of senders) {
    test(`may come from ${header === "" ? "nobody" : header}`, async (t) => {
      const { phone } = await usedPhone(t, [message(element("Email:From", header))]);
      await phone.sync("Inbox");
      assert.deepEqual(phone.inbox().find(({ id }) => id === "m2")?.from, { name, address });
    });
  }
});

suite("opening a message", () => {
  test("asks for the whole of it", async (t) => {
    const body = element(
      "AirSyncBase:Body",
      element("AirSyncBase:Type", "1"),
      element("AirSyncBase:Data", "All of it."),
    );
    const { phone, server } = await usedPhone(t, [fetched("1", body)]);
    const result = await phone.fetch(oldNews);
    assert.equal(result.kind === "ok" && result.text, "All of it.");
    const fetch = server.received[0]?.root && child(server.received[0].root, "ItemOperations:Fetch");
    assert.equal(fetch && text(fetch, "AirSync:ServerId"), "m1");
    assert.equal(fetch && text(fetch, "ItemOperations:Store"), "Mailbox");
  });

  test("tells when it is not there", async (t) => {
    const { phone } = await usedPhone(t, [fetched("6")]);
    assert.deepEqual(await phone.fetch(oldNews), {
      kind: "command-status",
      command: "ItemOperations",
      commandStatus: 6,
    });
  });

  test("shows what Sync has brought in 2.5, which has no way to ask", async (t) => {
    const { phone, server } = await usedPhone(t, [], { protocolVersion: "2.5" });
    const result = await phone.fetch(oldNews);
    assert.equal(result.kind === "ok" && result.text, "Nothing much.");
    assert.equal(server.received.length, 0);
  });

  test("is not answered with nothing", async (t) => {
    const { phone } = await usedPhone(t, [nothing]);
    await assert.rejects(phone.fetch(oldNews), withCode("answer-unreadable"));
  });
});

suite("the estimate of a folder", () => {
  const answer = element(
    "GetItemEstimate:GetItemEstimate",
    element(
      "GetItemEstimate:Response",
      element("GetItemEstimate:Status", "1"),
      element(
        "GetItemEstimate:Collection",
        element("GetItemEstimate:CollectionId", "inbox"),
        element("GetItemEstimate:Estimate", "7"),
      ),
    ),
  );
  const spellings = [
    ["14.1", ["AirSync:SyncKey", "GetItemEstimate:CollectionId"]],
    ["12.1", ["GetItemEstimate:CollectionId", "AirSync:FilterType", "AirSync:SyncKey"]],
    ["2.5", ["GetItemEstimate:Class", "GetItemEstimate:CollectionId", "AirSync:FilterType", "AirSync:SyncKey"]],
  ] as const;
  for (const [protocolVersion, tags] of spellings) {
    test(`is asked for in the words of ${protocolVersion}`, async (t) => {
      const { phone, server } = await usedPhone(t, [answer], { protocolVersion });
      assert.deepEqual(await phone.getItemEstimate("Inbox"), { kind: "ok", items: 7 });
      const list = server.received[0]?.root && child(server.received[0].root, "GetItemEstimate:Collections");
      const collection = list && child(list, "GetItemEstimate:Collection");
      assert.deepEqual(
        collection?.content.map((part) => (typeof part === "object" && "tag" in part ? part.tag : "")),
        tags,
      );
    });
  }
});
