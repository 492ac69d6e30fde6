/** What a phone in quarantine is told by every command that is answered here: it keeps what it has, and comes again later. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { CommandName } from "../../src/activesync/commands.ts";
import { element } from "../../src/activesync/document.ts";
import type { Part } from "../../src/activesync/document.ts";
import { decode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { Refusal } from "../../src/gateway/errors.ts";
import {
  calendar,
  estimateOf,
  everywhere,
  folderSync,
  hex,
  inbox,
  optional,
  projects,
  textsIn,
} from "../support/activesync-documents.ts";
import { aHeldPhone, answerFrom, documentFrom, hexFrom, ourKey, refusalFrom } from "../support/remediation.ts";
import type { HeldPhoneOptions } from "../support/remediation.ts";

const scope = ["12.1", "14.0", "14.1"] as const;

async function answer(command: CommandName, body: Element, options: HeldPhoneOptions = {}): Promise<Element> {
  return documentFrom(await aHeldPhone(options).ask(command, body));
}

suite("a message that the person sends", () => {
  const commands = ["SendMail", "SmartReply", "SmartForward"] as const;

  for (const command of commands) {
    for (const version of ["14.0", "14.1", "16.1"] as const) {
      test(`stays in the outbox, and the phone tries again (${command}, ${version})`, async () => {
        const body = element(`ComposeMail:${command}`, element("ComposeMail:Mime", Buffer.from("From: x\r\n\r\n")));
        const expected = element(`ComposeMail:${command}`, element("ComposeMail:Status", "111"));
        assert.deepEqual(await answer(command, body, { version }), expected);
      });
    }
    for (const version of ["2.5", "12.0", "12.1", "none"] as const) {
      test(`stays in the outbox, and the phone is told when to try again (${command}, version: ${version})`, async () => {
        const reply = await aHeldPhone({ version }).ask(command, Buffer.from("From: x\r\n\r\n"));
        assert.deepEqual(refusalFrom(reply), { httpStatus: 503, retryAfter: "900" });
      });
    }
  }

  test("is answered as it is known by heart", async () => {
    const reply = await aHeldPhone().ask("SendMail", element("ComposeMail:SendMail"));
    assert.equal(hexFrom(reply), "03016a000015455203313131000101");
  });

  test("is read to its end, so that the phone hears the answer", async () => {
    for (const version of scope) {
      const phone = aHeldPhone({ version });
      await phone.ask("SendMail", Buffer.alloc(1000));
      assert.deepEqual(phone.discarded, [1000]);
    }
  });

  test("is never said to be sent", async () => {
    for (const version of scope) {
      for (const command of commands) {
        const { httpStatus, body } = answerFrom(await aHeldPhone({ version }).ask(command, Buffer.from("x")));
        assert.ok(httpStatus === 503 || (body !== undefined && body.byteLength > 0));
      }
    }
  });
});

suite("a message that the person moves", () => {
  const move = (id: string): Element =>
    element(
      "Move:Move",
      element("Move:SrcMsgId", id),
      element("Move:SrcFldId", inbox),
      element("Move:DstFldId", projects),
    );
  const stays = (id: string): Element =>
    element("Move:Response", element("Move:SrcMsgId", id), element("Move:Status", "1"));

  test("is put back where it was", async () => {
    for (const version of scope) {
      const reply = await aHeldPhone({ version }).ask("MoveItems", element("Move:MoveItems", move("5:9")));
      assert.equal(hexFrom(reply), "03016a000005454a4703353a3900014b033100010101");
    }
  });

  test("is answered for on its own among several, the notice too", async () => {
    assert.deepEqual(
      await answer("MoveItems", element("Move:MoveItems", move("5:9"), move("5:2000000001"))),
      element("Move:MoveItems", stays("5:9"), stays("5:2000000001")),
    );
  });
});

suite("how many items are waiting", () => {
  const ask = (key: string, id: string, folderClass?: string): Part[] => [
    optional("GetItemEstimate:Class", folderClass),
    element("AirSync:SyncKey", key),
    element("GetItemEstimate:CollectionId", id),
  ];
  const tells = (status: string, id?: string, count?: string, folderClass?: string): Element =>
    element(
      "GetItemEstimate:Response",
      element("GetItemEstimate:Status", status),
      id === undefined
        ? undefined
        : element(
            "GetItemEstimate:Collection",
            optional("GetItemEstimate:Class", folderClass),
            element("GetItemEstimate:CollectionId", id),
            optional("GetItemEstimate:Estimate", count),
          ),
    );

  test("one in an Inbox that has not got the notice, as it is known by heart", async () => {
    for (const version of scope) {
      const reply = await aHeldPhone({ version }).ask("GetItemEstimate", estimateOf(ask(ourKey("5"), "5")));
      assert.equal(hexFrom(reply), "03016a000006454d4e03310001484a033500014c03310001010101");
    }
  });

  const rows: readonly (readonly [title: string, key: string, id: string, expected: Element])[] = [
    ["none in an Inbox that has it", ourKey(inbox, { state: 2 }), inbox, tells("1", inbox, "0")],
    ["none in an Inbox from which it was deleted", ourKey(inbox, { state: 3 }), inbox, tells("1", inbox, "0")],
    ["none in any other mail folder", ourKey(projects), projects, tells("1", projects, "0")],
    ["no telling for a mail folder that must start anew", "5-5", inbox, tells("4")],
    ["no telling for a key that was made for another folder", ourKey(projects), inbox, tells("4")],
    ["none in a calendar, which stays as it is", "5-5", calendar, tells("1", calendar, "0")],
    ["no telling for a folder that has not been primed", "0", inbox, tells("3")],
    ["none in a calendar that began in quarantine", ourKey(calendar), calendar, tells("1", calendar, "0")],
  ];
  for (const [title, key, id, expected] of rows) {
    test(title, async () => {
      for (const version of scope) {
        assert.deepEqual(
          await answer("GetItemEstimate", estimateOf(ask(key, id)), { version }),
          element("GetItemEstimate:GetItemEstimate", expected),
        );
      }
    });
  }

  test("some, perhaps, in a folder that is allowed: only upstream knows, and the phone asks there", async () => {
    const heldFolders = { calendar: "allow" } as const;
    for (const [key, expected] of [
      ["7", tells("1", calendar, "1")],
      [ourKey(calendar), tells("4")],
    ] as const) {
      assert.deepEqual(
        await answer("GetItemEstimate", estimateOf(ask(key, calendar)), { heldFolders }),
        element("GetItemEstimate:GetItemEstimate", expected),
      );
    }
  });

  test("none in a folder that was wiped, and no telling while it must start anew", async () => {
    const heldFolders = { calendar: "wipe" } as const;
    for (const [key, expected] of [
      ["7", tells("4")],
      [ourKey(calendar), tells("1", calendar, "0")],
    ] as const) {
      assert.deepEqual(
        await answer("GetItemEstimate", estimateOf(ask(key, calendar)), { heldFolders }),
        element("GetItemEstimate:GetItemEstimate", expected),
      );
    }
  });

  test("each folder is answered on its own", async () => {
    assert.deepEqual(
      await answer("GetItemEstimate", estimateOf(ask("5-5", inbox), ask("7", calendar))),
      element("GetItemEstimate:GetItemEstimate", tells("4"), tells("1", calendar, "0")),
    );
  });

  test("the class is repeated up to 12.0 only", async () => {
    const asks = estimateOf(ask("7", calendar, "Calendar"));
    for (const [version, repeated] of [
      ["12.0", "Calendar"],
      ["12.1", undefined],
      ["14.1", undefined],
    ] as const) {
      assert.deepEqual(
        await answer("GetItemEstimate", asks, { version }),
        element("GetItemEstimate:GetItemEstimate", tells("1", calendar, "0", repeated)),
      );
    }
  });

  test("a mail folder of which nothing else is known is told by its class", async () => {
    const asks = estimateOf(ask("5-5", inbox, "Email"));
    assert.deepEqual(
      await answer("GetItemEstimate", asks, { version: "12.1", remembered: [] }),
      element("GetItemEstimate:GetItemEstimate", tells("4")),
    );
  });
});

suite("an item that the phone fetches", () => {
  const fetch = (...parts: readonly Part[]): Element =>
    element("ItemOperations:Fetch", element("ItemOperations:Store", "Mailbox"), ...parts);
  const item = (id: string, folder = inbox): Part[] => [
    element("AirSync:CollectionId", folder),
    element("AirSync:ServerId", id),
  ];
  const operations = (...parts: readonly Part[]): Element => element("ItemOperations:ItemOperations", ...parts);
  const answeredWith = (...parts: readonly Part[]): Element =>
    operations(element("ItemOperations:Status", "1"), element("ItemOperations:Response", ...parts));
  const status = (text: string): Element => element("ItemOperations:Status", text);
  const wanted = (type: string, ...more: readonly Part[]): Element =>
    element(
      "ItemOperations:Options",
      ...more,
      element("AirSyncBase:BodyPreference", element("AirSyncBase:Type", type)),
    );

  test("is not there, as it is known by heart", async () => {
    for (const version of scope) {
      const reply = await aHeldPhone({ version }).ask("ItemOperations", operations(fetch(...item("5:9"))));
      assert.equal(hexFrom(reply), "03016a000014454d033100014e464d03360001000052033500014d03353a390001010101");
    }
  });

  test("is the notice, whole, in the form of body that is wanted", async () => {
    for (const [options, type, text] of [
      [undefined, "1", "TEXT"],
      [wanted("1"), "1", "TEXT"],
      [wanted("2"), "2", "<p>TEXT</p>"],
      [wanted("3"), "1", "TEXT"],
    ] as const) {
      const found = await answer("ItemOperations", operations(fetch(...item("5:2000000001"), options)));
      const [fetched] = everywhere(found, "ItemOperations:Fetch");
      assert.ok(fetched !== undefined);
      assert.deepEqual(
        fetched.content.map((part) => (typeof part === "object" && "tag" in part ? part.tag : part)),
        [
          "ItemOperations:Status",
          "AirSync:CollectionId",
          "AirSync:ServerId",
          "AirSync:Class",
          "ItemOperations:Properties",
        ],
      );
      assert.deepEqual(textsIn(fetched, "ItemOperations:Status"), ["1"]);
      assert.deepEqual(textsIn(fetched, "AirSync:Class"), ["Email"]);
      assert.deepEqual(textsIn(fetched, "Email:Subject"), ["S"]);
      assert.deepEqual(textsIn(fetched, "AirSyncBase:Type"), [type]);
      assert.deepEqual(textsIn(fetched, "AirSyncBase:Data"), [text]);
    }
  });

  test("is the notice as a message, for a phone that takes MIME", async () => {
    const options = wanted("4", element("AirSync:MIMESupport", "2"));
    const found = await answer("ItemOperations", operations(fetch(...item("5:2000000001"), options)));
    assert.deepEqual(textsIn(found, "AirSyncBase:Type"), ["4"]);
    assert.match(textsIn(found, "AirSyncBase:Data").join(), /^MIME-Version: 1\.0\r$/m);
  });

  test("is no longer there when it is a notice of older wording", async () => {
    const phone = aHeldPhone({
      remembered: [{ notice: { revision: 2, digest: "first wording", at: new Date("2026-11-24T11:55:00Z") } }],
    });
    for (const [id, expected] of [
      ["5:2000000001", "6"],
      ["5:2000000002", "1"],
      ["5:2000000003", "6"],
    ] as const) {
      const found = documentFrom(await phone.ask("ItemOperations", operations(fetch(...item(id)))));
      assert.deepEqual(textsIn(everywhere(found, "ItemOperations:Fetch")[0] ?? found, "ItemOperations:Status"), [
        expected,
      ]);
    }
  });

  test("is not there when it is named in another way, or is an attachment", async () => {
    const attachment = element("AirSyncBase:FileReference", "mail/INBOX/3/2");
    const found = element("Search:LongId", "x");
    assert.deepEqual(
      await answer(
        "ItemOperations",
        operations(fetch(attachment), fetch(found), fetch(...item("5:2000000001", projects))),
      ),
      answeredWith(
        element("ItemOperations:Fetch", status("15"), attachment),
        element("ItemOperations:Fetch", status("6"), found),
        element("ItemOperations:Fetch", status("6"), ...item("5:2000000001", projects)),
      ),
    );
  });

  test("is neither moved nor deleted along with its folder or conversation", async () => {
    const conversation = element("ItemOperations:ConversationId", Uint8Array.from([0, 1, 0xff, 0]));
    assert.deepEqual(
      await answer(
        "ItemOperations",
        operations(
          element("ItemOperations:EmptyFolderContents", element("AirSync:CollectionId", inbox)),
          element("ItemOperations:Move", conversation, element("ItemOperations:DstFldId", projects)),
        ),
      ),
      answeredWith(
        element("ItemOperations:EmptyFolderContents", status("3"), element("AirSync:CollectionId", inbox)),
        element("ItemOperations:Move", status("3"), conversation),
      ),
    );
  });

  test("comes in parts for a phone that takes several: the document, and the body of each item", async () => {
    const notice = fetch(...item("5:2000000001"));
    const html = fetch(...item("5:2000000001"), wanted("2"));
    const partsOf = async (...fetches: readonly Element[]): Promise<Buffer[]> => {
      const reply = answerFrom(
        await aHeldPhone().ask("ItemOperations", operations(...fetches), { headers: { "ms-asacceptmultipart": "t" } }),
      );
      const body = Buffer.from(reply.body ?? "");
      const places = Array.from({ length: body.readInt32LE(0) }, (_, index) => ({
        offset: body.readInt32LE(4 + 8 * index),
        length: body.readInt32LE(8 + 8 * index),
      }));
      // One after the other, from the end of the list to the end of the body.
      let end = 4 + 8 * places.length;
      for (const { offset, length } of places) {
        assert.equal(offset, end);
        end += length;
      }
      assert.equal(end, body.byteLength);
      return places.map(({ offset, length }) => body.subarray(offset, offset + length));
    };

    const [document = Buffer.alloc(0), ...bodies] = await partsOf(notice, fetch(...item("5:9")), html);
    assert.deepEqual(bodies.map(String), ["TEXT", "<p>TEXT</p>"]);
    const found = decode(document);
    assert.deepEqual(textsIn(found, "ItemOperations:Part"), ["1", "2"]);
    assert.deepEqual(textsIn(found, "AirSyncBase:Data"), []);
    assert.deepEqual(textsIn(found, "AirSyncBase:EstimatedDataSize"), ["4", "11"]);
    assert.equal((await partsOf(notice)).length, 2);
    assert.equal((await partsOf()).length, 1);
  });

  test("comes as one part of several where there is no body to part with", async () => {
    const asks = operations(fetch(...item("5:9")));
    const expected = hex(answeredWith(element("ItemOperations:Fetch", status("6"), ...item("5:9"))));
    const reply = answerFrom(
      await aHeldPhone().ask("ItemOperations", asks, { headers: { "ms-asacceptmultipart": "T" } }),
    );
    assert.deepEqual(reply.headers, [["Content-Type", "application/vnd.ms-sync.multipart"]]);
    const body = Buffer.from(reply.body ?? "");
    assert.deepEqual([body.readInt32LE(0), body.readInt32LE(4), body.readInt32LE(8)], [1, 12, expected.length / 2]);
    assert.equal(body.subarray(12).toString("hex"), expected);
    assert.equal(decode(body.subarray(12)).tag, "ItemOperations:ItemOperations");
  });
});

suite("every other command", () => {
  const rows: readonly (readonly [title: string, command: CommandName, body: Element, expected: Element])[] = [
    ...(["FolderCreate", "FolderDelete", "FolderUpdate"] as const).map(
      (command) =>
        [
          `${command}: the hierarchy stays as it is, try again`,
          command,
          element(`FolderHierarchy:${command}`, element("FolderHierarchy:SyncKey", "1")),
          element(`FolderHierarchy:${command}`, element("FolderHierarchy:Status", "6")),
        ] as const,
    ),
    [
      "Search: nothing is found, with the range and total that old phones insist on",
      "Search",
      element("Search:Search", element("Search:Store", element("Search:Name", "Mailbox"))),
      element(
        "Search:Search",
        element("Search:Status", "1"),
        element(
          "Search:Response",
          element(
            "Search:Store",
            element("Search:Status", "1"),
            element("Search:Result"),
            element("Search:Range", "0-0"),
            element("Search:Total", "0"),
          ),
        ),
      ),
    ],
    [
      "MeetingResponse: each is kept for later",
      "MeetingResponse",
      element(
        "MeetingResponse:MeetingResponse",
        ...["5:1", "5:2"].map((id) =>
          element(
            "MeetingResponse:Request",
            element("MeetingResponse:UserResponse", "1"),
            element("MeetingResponse:CollectionId", inbox),
            element("MeetingResponse:RequestId", id),
          ),
        ),
      ),
      element(
        "MeetingResponse:MeetingResponse",
        ...["5:1", "5:2"].map((id) =>
          element(
            "MeetingResponse:Result",
            element("MeetingResponse:RequestId", id),
            element("MeetingResponse:Status", "4"),
          ),
        ),
      ),
    ],
    [
      "ResolveRecipients: nobody is found",
      "ResolveRecipients",
      element(
        "ResolveRecipients:ResolveRecipients",
        element("ResolveRecipients:To", "bob"),
        element("ResolveRecipients:To", "carol"),
      ),
      element(
        "ResolveRecipients:ResolveRecipients",
        element("ResolveRecipients:Status", "1"),
        ...["bob", "carol"].map((to) =>
          element(
            "ResolveRecipients:Response",
            element("ResolveRecipients:To", to),
            element("ResolveRecipients:Status", "4"),
            element("ResolveRecipients:RecipientCount", "0"),
          ),
        ),
      ),
    ],
    [
      "ValidateCert: no certificate can be judged",
      "ValidateCert",
      element(
        "ValidateCert:ValidateCert",
        element(
          "ValidateCert:Certificates",
          element("ValidateCert:Certificate", "AAAA"),
          element("ValidateCert:Certificate", "BBBB"),
        ),
      ),
      element(
        "ValidateCert:ValidateCert",
        element("ValidateCert:Status", "1"),
        element("ValidateCert:Certificate", element("ValidateCert:Status", "17")),
        element("ValidateCert:Certificate", element("ValidateCert:Status", "17")),
      ),
    ],
  ];
  for (const [title, command, body, expected] of rows) {
    test(title, async () => {
      for (const version of scope) assert.deepEqual(await answer(command, body, { version }), expected);
    });
  }

  test("Find: nothing is found where it was searched", async () => {
    for (const [criterion, store] of [
      ["Find:MailBoxSearchCriterion", "Mailbox"],
      ["Find:GalSearchCriterion", "GAL"],
    ] as const) {
      const asked = element(
        "Find:Find",
        element("Find:SearchId", "1"),
        element("Find:ExecuteSearch", element(criterion, element("Find:Query", "bob"))),
      );
      const expected = element(
        "Find:Find",
        element("Find:Status", "1"),
        element(
          "Find:Response",
          element("ItemOperations:Store", store),
          element("Find:Status", "1"),
          element("Find:Range", "0-0"),
          element("Find:Total", "0"),
        ),
      );
      assert.deepEqual(await answer("Find", asked, { version: "16.1" }), expected);
    }
  });

  test("GetAttachment: try again later", async () => {
    const phone = aHeldPhone({ version: "12.1" });
    const reply = await phone.ask("GetAttachment", undefined, { query: "&AttachmentName=5%3A1%3A0" });
    assert.deepEqual(refusalFrom(reply), { httpStatus: 503, retryAfter: "900" });
  });

  test("a command that nobody knows: not implemented, and not forwarded", async () => {
    const phone = aHeldPhone();
    const reply = await phone.askFor("GetHierarchy");
    assert.deepEqual(refusalFrom(reply), { httpStatus: 501, retryAfter: undefined });
    assert.deepEqual(phone.forwarded, []);
  });

  test("answers are documents of the protocol and say so", async () => {
    const reply = answerFrom(await aHeldPhone().ask("MoveItems", element("Move:MoveItems")));
    assert.equal(reply.httpStatus, 200);
    assert.deepEqual(reply.headers, [["Content-Type", "application/vnd.ms-sync.wbxml"]]);
  });
});

suite("what is asked is read in one way or refused", () => {
  const refusedWith = (code: string) => (error: unknown) =>
    error instanceof Refusal && error.code === code && error.httpStatus === 400;

  test("a body of another command than the one that the URL names", async () => {
    const commands = ["Sync", "Ping", "Settings", "Provision", "FolderCreate", "ItemOperations", "Search"] as const;
    for (const command of commands) {
      await assert.rejects(aHeldPhone().ask(command, folderSync("0")), refusedWith("command-contradicts-body"));
    }
  });

  test("a body that is no document", async () => {
    for (const command of ["Sync", "Ping", "FolderSync", "MoveItems"] as const) {
      await assert.rejects(aHeldPhone().ask(command, Buffer.from("<Sync/>")), refusedWith("body-unreadable"));
    }
  });

  test("no body, where the command needs one", async () => {
    for (const command of ["FolderSync", "Provision", "Settings", "MoveItems", "ItemOperations"] as const) {
      await assert.rejects(aHeldPhone().ask(command), refusedWith("body-unreadable"));
    }
  });

  test("an element twice, where one server takes the first and another the second", async () => {
    const twice = (tag: Element["tag"], text: string): Element[] => [element(tag, text), element(tag, "other")];
    const collectionOf = (...parts: readonly Part[]): Element =>
      element("AirSync:Sync", element("AirSync:Collections", element("AirSync:Collection", ...parts)));
    const doubles: readonly (readonly [CommandName, Element])[] = [
      ["Sync", collectionOf(twice("AirSync:SyncKey", "1"), element("AirSync:CollectionId", inbox))],
      ["Sync", collectionOf(element("AirSync:SyncKey", "1"), twice("AirSync:CollectionId", inbox))],
      ["Sync", element("AirSync:Sync", element("AirSync:Collections"), element("AirSync:Collections"))],
      ["Sync", element("AirSync:Sync", element("AirSync:Collections"), twice("AirSync:Wait", "5"))],
      [
        "Sync",
        collectionOf(
          element("AirSync:SyncKey", "1"),
          element("AirSync:CollectionId", inbox),
          element("AirSync:Options", element("AirSyncBase:BodyPreference", twice("AirSyncBase:Type", "4"))),
        ),
      ],
      ["Ping", element("Ping:Ping", twice("Ping:HeartbeatInterval", "480"))],
      ["FolderSync", element("FolderHierarchy:FolderSync", twice("FolderHierarchy:SyncKey", "0"))],
      ["MoveItems", element("Move:MoveItems", element("Move:Move", twice("Move:SrcMsgId", "5:9")))],
    ];
    for (const [command, body] of doubles) {
      await assert.rejects(aHeldPhone().ask(command, body), refusedWith("body-unreadable"), hex(body));
      if (command === "Sync") {
        const attended = aHeldPhone().ask(command, body, { allowed: true });
        if (everywhere(body, "AirSync:Options").length === 0 && everywhere(body, "AirSync:Wait").length === 0)
          await assert.rejects(attended, refusedWith("body-unreadable"), hex(body));
      }
    }
  });
});

suite("before anything is said about a phone", () => {
  const unknown = {
    kind: "answer",
    httpStatus: 401,
    headers: [["WWW-Authenticate", "Basic"]],
    body: undefined,
  } as const;

  test("its credential is proven: what upstream says to a wrong one is the answer", async () => {
    for (const command of ["Sync", "Ping", "SendMail", "FolderSync", "Provision", "Search", "GetAttachment"] as const) {
      const phone = aHeldPhone({ refusedCredential: unknown });
      assert.equal(await phone.ask(command, Buffer.alloc(10)), unknown);
      assert.deepEqual(phone.discarded, [10], "read to its end, so that the phone hears the answer");
      assert.deepEqual(phone.changes, []);
      assert.deepEqual(phone.forwarded, []);
    }
  });
});
