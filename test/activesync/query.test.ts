/** Queries that real clients send, and what they say. What is refused stands in `test/hostile/duplicate-ids.test.ts`. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { commandCoded } from "../../src/activesync/commands.ts";
import { parseQuery } from "../../src/activesync/query.ts";

const none = new Map<string, string>();
const version = (text: string): ReadonlyMap<string, string> => new Map([["ms-asprotocolversion", text]]);

suite("a base64 query", () => {
  test("with a device id in letters", () => {
    assert.deepEqual(parseQuery("jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l", none), {
      form: "base64",
      command: "Sync",
      deviceIds: ["V140DEVICE", "76313430446576696365".toUpperCase()],
      user: undefined,
      version: "14.0",
      deviceType: "SmartPhone",
      lcid: 0x0409,
      acceptsMultipart: false,
      canonical: "jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l",
      itemId: undefined,
    });
  });

  test("with a device id in raw bytes, a policy key and an option, as Windows Mail sends it", () => {
    const blob = "jQMJCBBgMOo4NRIhymNelU6Z7jHTBDzZUJwLV2luZG93c01haWwHAQE=";
    assert.deepEqual(parseQuery(blob, none), {
      form: "base64",
      command: "SmartReply",
      deviceIds: ["6030EA38351221CA635E954E99EE31D3"],
      user: undefined,
      version: "14.1",
      deviceType: "WindowsMail",
      lcid: 0x0809,
      acceptsMultipart: false,
      canonical: blob,
      itemId: undefined,
    });
  });

  const blobOf = (...bytes: readonly (number | string)[]): string =>
    Buffer.concat(bytes.map((each) => (typeof each === "string" ? Buffer.from(each) : Buffer.of(each)))).toString(
      "base64",
    );
  const head = [141, 19, 9, 4, 4, "abcd", 0, 2, "WP"] as const;

  test("in the spellings of base64 that clients use is one and the same, and goes upstream in one", () => {
    // The bytes of an unknown parameter make letters that have a second spelling.
    const blob = blobOf(...head, 99, 5, 0xfb, 0xff, 0xbf, 0xfe, 0xff);
    assert.match(blob, /\+.*\/.*=$/);
    const url = blob.replaceAll("+", "-").replaceAll("/", "_");
    const escaped = encodeURIComponent(blob);
    const lower = escaped.replaceAll("%2B", "%2b").replaceAll("%2F", "%2f").replaceAll("%3D", "%3d");
    for (const spelling of [blob, blob.replace(/=+$/, ""), url, escaped, lower]) {
      assert.equal(parseQuery(spelling, none).canonical, blob);
    }
  });

  test("names its user, and whether it takes several parts", () => {
    for (const [options, expected] of [
      [[7, 1, 2], true],
      [[7, 1, 3], true],
      [[7, 1, 1], false],
      [[7, 1, 0], false],
      [[7, 0], false],
      [[], false],
    ] as const) {
      const query = parseQuery(blobOf(...head, ...options, 8, 5, "alice"), none);
      assert.equal(query.acceptsMultipart, expected);
      assert.deepEqual(query.user, { account: "alice", domain: undefined });
      assert.equal(query.command, "ItemOperations");
    }
  });

  test("may have parameters that nobody knows, and no user", () => {
    const query = parseQuery(blobOf(...head, 2, 3, "old", 99, 1, "x", 8, 0), none);
    assert.equal(query.user, undefined);
    assert.deepEqual(query.deviceIds, ["ABCD", "61626364"]);
  });

  test("may come with the same version in its header, and with no other", () => {
    assert.equal(parseQuery(blobOf(...head), version("14.1")).version, "14.1");
    assert.throws(() => parseQuery(blobOf(...head), version("14.0")), { code: "identity-ambiguous" });
  });

  test("has a code for each command", () => {
    const codes = Array.from({ length: 24 }, (_, code) => commandCoded(code));
    assert.deepEqual(codes, [
      "Sync",
      "SendMail",
      "SmartForward",
      "SmartReply",
      "GetAttachment",
      "Unknown",
      "Unknown",
      "Unknown",
      "Unknown",
      "FolderSync",
      "FolderCreate",
      "FolderDelete",
      "FolderUpdate",
      "MoveItems",
      "GetItemEstimate",
      "MeetingResponse",
      "Search",
      "Settings",
      "Ping",
      "ItemOperations",
      "Provision",
      "ResolveRecipients",
      "ValidateCert",
      "Unknown",
    ]);
  });
});

suite("a plain query", () => {
  test("in the order of iOS, and in any spelling of its names", () => {
    for (const query of [
      "User=alice&DeviceId=APPLF4KQ2P1XJC&DeviceType=iPhone&Cmd=Sync",
      "user=alice&deviceid=applf4kq2p1xjc&DEVICETYPE=iPhone&cmd=sync",
    ]) {
      const { command, deviceIds, user, lcid } = parseQuery(query, version("14.1"));
      assert.deepEqual(
        { command, deviceIds, user, lcid },
        {
          command: "Sync",
          deviceIds: ["APPLF4KQ2P1XJC"],
          user: { account: "alice", domain: undefined },
          lcid: undefined,
        },
      );
    }
  });

  test("with a device id that is the hex spelling of letters has two names", () => {
    const spelled = Buffer.from("nine1234").toString("hex");
    assert.deepEqual(parseQuery(`Cmd=Sync&DeviceId=${spelled}`, none).deviceIds, [spelled.toUpperCase(), "NINE1234"]);
    for (const id of ["6030EA38351221CA635E954E99EE31D3", "ABC", "SEC0123456789ABCD"]) {
      assert.deepEqual(parseQuery(`Cmd=Sync&DeviceId=${id}`, none).deviceIds, [id]);
    }
  });

  test("goes upstream with the names of the protocol, and without what has no meaning", () => {
    assert.equal(
      parseQuery(
        "cmd=GetAttachment&USER=CORP%5Calice&deviceid=A1&devicetype=x&attachmentname=mail%2FINBOX%2F3%2F2&other=1",
        none,
      ).canonical,
      "Cmd=GetAttachment&User=CORP%5Calice&DeviceId=A1&DeviceType=x&AttachmentName=mail/INBOX/3/2",
    );
  });

  test("says its version in a header, or not at all", () => {
    for (const text of ["2.5", "12.0", "12.1", "14.0", "14.1", "16.0", "16.1"]) {
      assert.equal(parseQuery("Cmd=Sync&DeviceId=A1", version(text)).version, text);
    }
    for (const headers of [none, version("15.0")]) {
      assert.equal(parseQuery("Cmd=Sync&DeviceId=A1", headers).version, undefined);
    }
    assert.throws(() => parseQuery("Cmd=Sync&DeviceId=A1", version("14.1, 14.0")), { code: "header-refused" });
  });

  test("of a command that nobody knows is known to be one", () => {
    assert.equal(parseQuery("Cmd=CreateCollection&DeviceId=A1", none).command, "Unknown");
    assert.equal(parseQuery("Cmd=Find&DeviceId=A1", none).command, "Find");
  });

  test("says in a header whether it takes several parts", () => {
    for (const [text, expected] of [
      ["T", true],
      ["t", true],
      ["F", false],
    ] as const) {
      assert.equal(
        parseQuery("Cmd=ItemOperations&DeviceId=A1", new Map([["ms-asacceptmultipart", text]])).acceptsMultipart,
        expected,
      );
    }
  });
});
