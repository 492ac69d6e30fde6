import assert from "node:assert/strict";
import { test } from "node:test";
import { child, children, element, textOf } from "../../src/activesync/document.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import {
  aMailServer,
  aPhone,
  at,
  calendar,
  contacts,
  deletedItems,
  inbox,
  projects,
  syncFromTheStart,
  textAt,
} from "./wire.ts";

const mail = { from: "carol@demo.example", subject: "A table", text: "See the table." };

function fetchItem(serverId: string, folderId = inbox, type = "1"): Element {
  return element(
    "ItemOperations:ItemOperations",
    element(
      "ItemOperations:Fetch",
      element("ItemOperations:Store", "Mailbox"),
      element("AirSync:CollectionId", folderId),
      element("AirSync:ServerId", serverId),
      element("ItemOperations:Options", element("AirSyncBase:BodyPreference", element("AirSyncBase:Type", type))),
    ),
  );
}

const fetchPath = ["ItemOperations:Response", "ItemOperations:Fetch"] as const;

test("a phone fetches one whole message, or hears that it is gone", async (t) => {
  const server = await aMailServer(t);
  const id = server.deliver("alice", mail);
  const phone = aPhone(server);
  const found = at((await phone.post(fetchItem(id))).root, ...fetchPath);
  assert.equal(textAt(found, "ItemOperations:Status"), "1");
  assert.equal(textAt(found, "AirSync:Class"), "Email");
  assert.equal(textAt(found, "ItemOperations:Properties", "AirSyncBase:Body", "AirSyncBase:Data"), mail.text);

  const vector = "03016a000014454d033100014e464d03360001000052033500014d03353a390001010101";
  assert.equal((await phone.post(fetchItem("5:9"))).body.toString("hex"), vector);
  assert.equal(textAt((await phone.post(fetchItem(id, projects))).root, ...fetchPath, "ItemOperations:Status"), "6");
});

test("messages move, with a new id, and a move that cannot be is told apart", async (t) => {
  const server = await aMailServer(t);
  const id = server.deliver("alice", mail);
  const move = (serverId: string, from: string, to: string): Element =>
    element(
      "Move:Move",
      element("Move:SrcMsgId", serverId),
      element("Move:SrcFldId", from),
      element("Move:DstFldId", to),
    );
  const { root } = await aPhone(server).post(
    element(
      "Move:MoveItems",
      move("5:99", inbox, projects),
      move(id, inbox, "77"),
      move(id, inbox, inbox),
      move(id, inbox, projects),
    ),
  );
  const responses = children(root, "Move:Response");
  assert.deepEqual(
    responses.map((one) => textAt(one, "Move:Status")),
    ["1", "2", "4", "3"],
  );
  const [moved] = server.mailbox("alice").messages;
  assert.deepEqual([moved?.folderId, moved?.id], [projects, textAt(responses[3] ?? root, "Move:DstMsgId")]);
});

test("an estimate counts what the next Sync would bring", async (t) => {
  const server = await aMailServer(t);
  const phone = aPhone(server);
  const { key } = await syncFromTheStart(phone);
  server.deliver("alice", mail);
  const ask = async (syncKey: string, folderId = inbox): Promise<Element> => {
    const collection = element(
      "GetItemEstimate:Collection",
      element("AirSync:SyncKey", syncKey),
      element("GetItemEstimate:CollectionId", folderId),
      element("AirSync:Options", element("AirSync:FilterType", "0")),
    );
    const collections = element("GetItemEstimate:Collections", collection);
    return at(
      (await phone.post(element("GetItemEstimate:GetItemEstimate", collections))).root,
      "GetItemEstimate:Response",
    );
  };
  const estimated = await ask(key);
  assert.equal(textAt(estimated, "GetItemEstimate:Status"), "1");
  assert.equal(textAt(estimated, "GetItemEstimate:Collection", "GetItemEstimate:Estimate"), "1");
  assert.equal(textAt(await ask(key, "77"), "GetItemEstimate:Status"), "2");
  assert.equal(textAt(await ask("0"), "GetItemEstimate:Status"), "3");
  assert.equal(textAt(await ask("7", contacts), "GetItemEstimate:Status"), "3");
  assert.equal(textAt(await ask("77"), "GetItemEstimate:Status"), "4");
});

test("the bin can be emptied, the inbox cannot", async (t) => {
  const server = await aMailServer(t);
  server.deliver("alice", { ...mail, folder: "Deleted Items" });
  server.deliver("alice", mail);
  const empty = (folderId: string): Element =>
    element(
      "ItemOperations:ItemOperations",
      element("ItemOperations:EmptyFolderContents", element("AirSync:CollectionId", folderId)),
    );
  const path = ["ItemOperations:Response", "ItemOperations:EmptyFolderContents", "ItemOperations:Status"] as const;
  assert.equal(textAt((await aPhone(server).post(empty(deletedItems))).root, ...path), "1");
  assert.equal(textAt((await aPhone(server).post(empty(inbox))).root, ...path), "3");
  assert.deepEqual(
    server.mailbox("alice").messages.map(({ folderId }) => folderId),
    [inbox],
  );
});

test("messages and people can be found", async (t) => {
  const server = await aMailServer(t);
  server.deliver("alice", { ...mail, subject: "Pallets", text: "fourteen" });
  server.deliver("alice", { ...mail, subject: "Tickets", text: "two" });
  const phone = aPhone(server);
  const search = (name: string, query: Element, range = "0-9"): Element =>
    element(
      "Search:Search",
      element(
        "Search:Store",
        element("Search:Name", name),
        query,
        element("Search:Options", element("Search:Range", range)),
      ),
    );
  const words = (text: string): Element =>
    element("Search:Query", element("Search:And", element("AirSync:Class", "Email"), element("Search:FreeText", text)));
  const store = ["Search:Response", "Search:Store"] as const;

  const found = at((await phone.post(search("Mailbox", words("FOURTEEN")))).root, ...store);
  assert.equal(textAt(found, "Search:Total"), "1");
  assert.equal(textAt(found, "Search:Result", "Search:Properties", "Email:Subject"), "Pallets");
  const longId = textAt(found, "Search:Result", "Search:LongId");
  const fetched = await phone.post(
    element("ItemOperations:ItemOperations", element("ItemOperations:Fetch", element("Search:LongId", longId))),
  );
  assert.equal(textAt(fetched.root, ...fetchPath, "ItemOperations:Properties", "Email:Subject"), "Pallets");

  const nothing = at((await phone.post(search("Mailbox", words("elephant")))).root, ...store);
  assert.deepEqual([textAt(nothing, "Search:Range"), textAt(nothing, "Search:Total")], ["0-0", "0"]);
  const bob = at((await phone.post(search("GAL", element("Search:Query", "ba")))).root, ...store);
  assert.equal(textAt(bob, "Search:Result", "Search:Properties", "GAL:EmailAddress"), "bob@demo.example");

  const resolved = await phone.post(
    element(
      "ResolveRecipients:ResolveRecipients",
      element("ResolveRecipients:To", "bob"),
      element("ResolveRecipients:To", "zoe"),
    ),
  );
  const responses = children(resolved.root, "ResolveRecipients:Response");
  assert.deepEqual(
    responses.map((one) => textAt(one, "ResolveRecipients:Status")),
    ["1", "4"],
  );
});

test("what this server cannot do it says: meetings, certificates, commands of later versions", async (t) => {
  const server = await aMailServer(t);
  const phone = aPhone(server);
  const meeting = await phone.post(
    element(
      "MeetingResponse:MeetingResponse",
      element(
        "MeetingResponse:Request",
        element("MeetingResponse:UserResponse", "1"),
        element("MeetingResponse:CollectionId", calendar),
        element("MeetingResponse:RequestId", "1:1"),
      ),
    ),
  );
  assert.equal(textAt(meeting.root, "MeetingResponse:Result", "MeetingResponse:Status"), "2");
  const certificate = await phone.post(
    element(
      "ValidateCert:ValidateCert",
      element("ValidateCert:Certificates", element("ValidateCert:Certificate", "x")),
    ),
  );
  assert.equal(textAt(certificate.root, "ValidateCert:Certificate", "ValidateCert:Status"), "17");
  assert.equal((await phone.post(element("Find:Find"))).httpStatus, 501);
});

test("settings are kept: the phone's description, the person, the absence note", async (t) => {
  const server = await aMailServer(t);
  const phone = aPhone(server);
  const oof = element("Settings:Set", element("Settings:OofState", "1"));
  const { root } = await phone.post(
    element(
      "Settings:Settings",
      element("Settings:DeviceInformation", element("Settings:Set", element("Settings:Model", "Phone"))),
      element("Settings:UserInformation", element("Settings:Get")),
      element("Settings:Oof", oof),
    ),
  );
  assert.equal(textAt(root, "Settings:DeviceInformation", "Settings:Status"), "1");
  const person = ["Settings:UserInformation", "Settings:Get", "Settings:Accounts", "Settings:Account"] as const;
  assert.equal(textAt(root, ...person, "Settings:UserDisplayName"), "Alice Archer");

  const tablet = aPhone(server, { deviceId: "TABLET", version: "12.1" });
  const asked = await tablet.post(
    element(
      "Settings:Settings",
      element("Settings:Oof", element("Settings:Get", element("Settings:BodyType", "Text"))),
      element("Settings:UserInformation", element("Settings:Get")),
    ),
  );
  assert.equal(textAt(asked.root, "Settings:Oof", "Settings:Get", "Settings:OofState"), "1");
  const addresses = ["Settings:UserInformation", "Settings:Get", "Settings:EmailAddresses"] as const;
  assert.deepEqual(children(at(asked.root, ...addresses), "Settings:SMTPAddress").map(textOf), ["alice@demo.example"]);
  assert.equal(child(asked.root, "Settings:DeviceInformation"), undefined);
});
