/** Requests and answers of the protocol, byte for byte as MS-ASWBXML and MS-ASCMD have them. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { element } from "../../src/activesync/document.ts";
import { decode, encode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";

function collection(...parts: readonly Element[]): Element {
  return element("AirSync:Sync", element("AirSync:Collections", element("AirSync:Collection", parts)));
}

suite("documents known by heart", () => {
  const vectors: readonly (readonly [title: string, hex: string, expected: Element])[] = [
    [
      "FolderSync with key 0",
      "000756520330000101",
      element("FolderHierarchy:FolderSync", element("FolderHierarchy:SyncKey", "0")),
    ],
    [
      "FolderSync with command status 9",
      "0007564c0339000101",
      element("FolderHierarchy:FolderSync", element("FolderHierarchy:Status", "9")),
    ],
    [
      "FolderSync without a change",
      "0007564c0331000152033100014e57033000010101",
      element(
        "FolderHierarchy:FolderSync",
        element("FolderHierarchy:Status", "1"),
        element("FolderHierarchy:SyncKey", "1"),
        element("FolderHierarchy:Changes", element("FolderHierarchy:Count", "0")),
      ),
    ],
    [
      "Sync with command status 3",
      "455c4f4b0330000152033500014e03330001010101",
      collection(element("AirSync:SyncKey", "0"), element("AirSync:CollectionId", "5"), element("AirSync:Status", "3")),
    ],
    [
      "Sync that holds a collection where it is",
      "455c4f4b033737000152033200014e03310001010101",
      collection(
        element("AirSync:SyncKey", "77"),
        element("AirSync:CollectionId", "2"),
        element("AirSync:Status", "1"),
      ),
    ],
    ["Sync with command status 12", "454e033132000101", element("AirSync:Sync", element("AirSync:Status", "12"))],
    ["Ping without news", "000d45470331000101", element("Ping:Ping", element("Ping:Status", "1"))],
    [
      "Ping with news in one folder",
      "000d454703320001494a033500010101",
      element("Ping:Ping", element("Ping:Status", "2"), element("Ping:Folders", element("Ping:Folder", "5"))),
    ],
    ["Ping that asks for its parameters", "000d45470333000101", element("Ping:Ping", element("Ping:Status", "3"))],
    [
      "Ping that names another heartbeat",
      "000d4547033500014803343830000101",
      element("Ping:Ping", element("Ping:Status", "5"), element("Ping:HeartbeatInterval", "480")),
    ],
    ["Ping that asks for a FolderSync", "000d45470337000101", element("Ping:Ping", element("Ping:Status", "7"))],
    [
      "SendMail with command status 111",
      "0015455203313131000101",
      element("ComposeMail:SendMail", element("ComposeMail:Status", "111")),
    ],
    [
      "MoveItems with command status 1",
      "0005454a4703353a3900014b033100010101",
      element("Move:MoveItems", element("Move:Response", element("Move:SrcMsgId", "5:9"), element("Move:Status", "1"))),
    ],
    [
      "GetItemEstimate of 1",
      "0006454d4e03310001484a033500014c03310001010101",
      element(
        "GetItemEstimate:GetItemEstimate",
        element(
          "GetItemEstimate:Response",
          element("GetItemEstimate:Status", "1"),
          element(
            "GetItemEstimate:Collection",
            element("GetItemEstimate:CollectionId", "5"),
            element("GetItemEstimate:Estimate", "1"),
          ),
        ),
      ),
    ],
    [
      "ItemOperations with a Fetch of command status 6",
      "0014454d033100014e464d03360001000052033500014d03353a390001010101",
      element(
        "ItemOperations:ItemOperations",
        element("ItemOperations:Status", "1"),
        element(
          "ItemOperations:Response",
          element(
            "ItemOperations:Fetch",
            element("ItemOperations:Status", "6"),
            element("AirSync:CollectionId", "5"),
            element("AirSync:ServerId", "5:9"),
          ),
        ),
      ),
    ],
    [
      "Sync that adds a message",
      `455c4f4b037b35303533353435312d303030302d343030302d383030302d3030303030303030303030317d3200
       0152033500014e0331000156474d03353a3230303030303030303100015d000256036140622e6300015803697440622e63
       000154035300014f03323032362d30312d30325430333a30343a30352e3030305a000151036140622e6300017503530001
       5203320001550330000100114a46033100014c033400014d033000014b03544558540001010002530349504d2e4e6f7465
       00017903363530303100013a7c0375726e3a636f6e74656e742d636c61737365733a6d6573736167650001001156033100
       01001649c310000102030405060708090a0b0c0d0e0f014ac305000102030401010101010101`,
      collection(
        element("AirSync:SyncKey", "{50535451-0000-4000-8000-000000000001}2"),
        element("AirSync:CollectionId", "5"),
        element("AirSync:Status", "1"),
        element(
          "AirSync:Commands",
          element(
            "AirSync:Add",
            element("AirSync:ServerId", "5:2000000001"),
            element(
              "AirSync:ApplicationData",
              element("Email:To", "a@b.c"),
              element("Email:From", "it@b.c"),
              element("Email:Subject", "S"),
              element("Email:DateReceived", "2026-01-02T03:04:05.000Z"),
              element("Email:DisplayTo", "a@b.c"),
              element("Email:ThreadTopic", "S"),
              element("Email:Importance", "2"),
              element("Email:Read", "0"),
              element(
                "AirSyncBase:Body",
                element("AirSyncBase:Type", "1"),
                element("AirSyncBase:EstimatedDataSize", "4"),
                element("AirSyncBase:Truncated", "0"),
                element("AirSyncBase:Data", "TEXT"),
              ),
              element("Email:MessageClass", "IPM.Note"),
              element("Email:InternetCPID", "65001"),
              element("Email:Flag"),
              element("Email:ContentClass", "urn:content-classes:message"),
              element("AirSyncBase:NativeBodyType", "1"),
              element(
                "Email2:ConversationId",
                Uint8Array.from({ length: 16 }, (_, index) => index),
              ),
              element(
                "Email2:ConversationIndex",
                Uint8Array.from({ length: 5 }, (_, index) => index),
              ),
            ),
          ),
        ),
      ),
    ],
  ];

  for (const [title, hex, expected] of vectors) {
    test(title, () => {
      const bytes = `03016a00${hex.replaceAll(/\s/g, "")}`;
      assert.equal(encode(expected).toString("hex"), bytes);
      assert.deepEqual(decode(Buffer.from(bytes, "hex")), expected);
    });
  }
});
