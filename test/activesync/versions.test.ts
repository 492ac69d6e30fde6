/** Every command in every version: what a phone in quarantine is told, to the byte where there is a document. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { CommandName } from "../../src/activesync/commands.ts";
import { element } from "../../src/activesync/document.ts";
import type { Part } from "../../src/activesync/document.ts";
import { protocolVersions } from "../../src/activesync/version.ts";
import type { ProtocolVersion } from "../../src/activesync/version.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import type { MailboxChange } from "../../src/store/store.ts";
import {
  addOf,
  answered,
  calendar,
  collection,
  contacts,
  estimateOf,
  folderSync,
  heartbeat,
  hex,
  inbox,
  ping,
  sync,
  syncOf,
  vector,
  wait,
} from "../support/activesync-documents.ts";
import type { CollectionParts } from "../support/activesync-documents.ts";
import { anAnswer } from "../support/mail-request.ts";
import { aHeldPhone, answerFrom, foldersKnown, hexFrom, noon, ourKey } from "../support/remediation.ts";

/** A document in hex, an HTTP status alone, or one with the seconds after which to come again. `""`: an empty 200. */
type Told = string | { readonly http: number; readonly retryAfter?: string };

interface Row {
  readonly title: string;
  readonly command: CommandName;
  readonly asks: (version: ProtocolVersion) => Element | Uint8Array | undefined;
  readonly query?: string;
  readonly told: Readonly<Record<ProtocolVersion, Told>>;
  /** What upstream answers, where the command goes there. */
  readonly upstream?: Element;
}

const always = (told: Told): Row["told"] => byVersion(() => told);
function byVersion(told: (version: ProtocolVersion) => Told): Row["told"] {
  return {
    "2.5": told("2.5"),
    "12.0": told("12.0"),
    "12.1": told("12.1"),
    "14.0": told("14.0"),
    "14.1": told("14.1"),
    "16.0": told("16.0"),
    "16.1": told("16.1"),
  };
}
const from =
  (first: ProtocolVersion, told: Told, before: Told) =>
  (version: ProtocolVersion): Told =>
    protocolVersions.indexOf(version) >= protocolVersions.indexOf(first) ? told : before;

const later: Told = { http: 503, retryAfter: "900" };
const unknown: Told = { http: 501 };
const malformed: Told = { http: 400 };
const status = (tag: Element["tag"], text: string): Element => element(tag, text);

const hasNotice: CollectionParts = { key: ourKey(inbox, { state: 2 }), id: inbox };
const settled: readonly MailboxChange[] = [
  foldersKnown,
  { issue: [inbox], notice: { revision: 1, digest: "first wording", at: noon } },
];
const settings = (...parts: readonly Part[]): Element => element("Settings:Settings", ...parts);
const provision = element("Provision:Provision", element("Provision:Status", "1"));
const message = Buffer.from("From: a@b.c\r\n\r\n");

function compose(command: "SendMail" | "SmartReply" | "SmartForward", told: string): Row {
  return {
    title: "a message stays in the outbox, and the phone sends it later",
    command,
    asks: (version) =>
      Number(version) >= 14 ? element(`ComposeMail:${command}`, element("ComposeMail:Mime", message)) : message,
    told: byVersion(from("14.0", told, later)),
  };
}

function folderChange(command: "FolderCreate" | "FolderDelete" | "FolderUpdate", told: string): Row {
  return {
    title: "the list of folders stays as it is, and the phone tries again later",
    command,
    asks: () => element(`FolderHierarchy:${command}`, element("FolderHierarchy:SyncKey", "1")),
    told: always(told),
  };
}

const rows: readonly Row[] = [
  {
    title: "a mail folder that the phone knows from upstream starts anew",
    command: "Sync",
    asks: () => sync({ key: "1-5", id: inbox }),
    told: always("03016a00455c4f4b0330000152033500014e03330001010101"),
  },
  {
    title: "nothing has changed in an Inbox with the notice and in a calendar, which is held",
    command: "Sync",
    asks: () => sync(hasNotice, { key: "77", id: calendar }),
    told: byVersion(
      from("12.1", "", hex(syncOf([answered(hasNotice.key ?? "", inbox, "1"), answered("77", calendar, "1")]))),
    ),
  },
  {
    title: "an event that was entered stays on the phone",
    command: "Sync",
    asks: () => sync({ key: "77", id: calendar, commands: [addOf("c1")] }),
    told: always({ http: 503, retryAfter: "300" }),
  },
  {
    title: "an event that was entered stays on the phone, whatever else it asks for that is held",
    command: "Sync",
    asks: () => sync({ key: "77", id: calendar, commands: [addOf("c1")] }, { key: "78", id: contacts }),
    told: {
      ...byVersion(from("14.0", hex(syncOf([answered("77", calendar, "16")])), { http: 503, retryAfter: "300" })),
      "12.1": hex(syncOf([answered("77", calendar, "16"), answered("78", contacts, "1")])),
    },
  },
  {
    title: "an event that was entered stays on the phone, which gets its mail folder reset in the same answer",
    command: "Sync",
    asks: () => sync({ key: "77", id: calendar, commands: [addOf("c1")] }, { key: "1-5", id: inbox }),
    told: byVersion(
      from(
        "12.1",
        hex(syncOf([answered("77", calendar, "16"), answered("0", inbox, "3")])),
        hex(syncOf([answered("77", calendar, "5"), answered("0", inbox, "3")])),
      ),
    ),
  },
  {
    title: "a Sync without a body is asked for in full, in versions that have it",
    command: "Sync",
    asks: () => undefined,
    told: byVersion(from("12.1", "03016a00454e033133000101", malformed)),
  },
  {
    title: "a Sync may wait some minutes from 12.1",
    command: "Sync",
    asks: () => syncOf([collection(hasNotice)], wait("5")),
    told: byVersion(from("12.1", "", malformed)),
  },
  {
    title: "a Sync may wait some seconds from 14.0",
    command: "Sync",
    asks: () => syncOf([collection(hasNotice)], heartbeat("480")),
    told: {
      ...byVersion(from("14.0", "", malformed)),
      "12.1": "03016a00454e0334000101",
    },
  },
  {
    title: "a Sync that wants to wait too long is told how long it may",
    command: "Sync",
    asks: (version) => syncOf([collection(hasNotice)], version === "12.1" ? wait("60") : heartbeat("3541")),
    told: {
      ...byVersion(
        from(
          "14.0",
          hex(element("AirSync:Sync", status("AirSync:Status", "14"), status("AirSync:Limit", "3540"))),
          malformed,
        ),
      ),
      "12.1": hex(element("AirSync:Sync", status("AirSync:Status", "14"), status("AirSync:Limit", "59"))),
    },
  },
  {
    title: "a Sync that wants to wait in two ways at once is no request",
    command: "Sync",
    asks: () => syncOf([collection(hasNotice)], wait("5"), heartbeat("480")),
    told: byVersion(from("12.1", "03016a00454e0334000101", malformed)),
  },
  compose("SendMail", "03016a000015455203313131000101"),
  compose("SmartReply", "03016a000015475203313131000101"),
  compose("SmartForward", "03016a000015465203313131000101"),
  {
    title: "an attachment is not to be had before release, and not by this command from 14.0",
    command: "GetAttachment",
    asks: () => undefined,
    query: "&AttachmentName=5%3A1%3A0",
    told: byVersion(from("14.0", unknown, later)),
  },
  {
    title: "the list of folders comes from upstream",
    command: "FolderSync",
    asks: () => folderSync("1"),
    upstream: element(
      "FolderHierarchy:FolderSync",
      status("FolderHierarchy:Status", "1"),
      status("FolderHierarchy:SyncKey", "1"),
      element("FolderHierarchy:Changes", status("FolderHierarchy:Count", "0")),
    ),
    told: always("03016a000007564c0331000152033100014e57033000010101"),
  },
  folderChange("FolderCreate", "03016a000007534c0336000101"),
  folderChange("FolderDelete", "03016a000007544c0336000101"),
  folderChange("FolderUpdate", "03016a000007554c0336000101"),
  {
    title: "a message that was moved is put back where it was",
    command: "MoveItems",
    asks: () =>
      element(
        "Move:MoveItems",
        element(
          "Move:Move",
          element("Move:SrcMsgId", "5:9"),
          element("Move:SrcFldId", inbox),
          element("Move:DstFldId", "7"),
        ),
      ),
    told: always("03016a000005454a4703353a3900014b033100010101"),
  },
  {
    title: "one message waits in an Inbox without the notice",
    command: "GetItemEstimate",
    asks: () => estimateOf([element("AirSync:SyncKey", ourKey(inbox)), element("GetItemEstimate:CollectionId", inbox)]),
    told: always("03016a000006454d4e03310001484a033500014c03310001010101"),
  },
  {
    title: "nothing can be told of a folder that has not been primed",
    command: "GetItemEstimate",
    asks: () => estimateOf([element("AirSync:SyncKey", "0"), element("GetItemEstimate:CollectionId", calendar)]),
    told: always(
      hex(
        element(
          "GetItemEstimate:GetItemEstimate",
          element("GetItemEstimate:Response", status("GetItemEstimate:Status", "3")),
        ),
      ),
    ),
  },
  {
    title: "an answer to an invitation is kept for later",
    command: "MeetingResponse",
    asks: () =>
      element(
        "MeetingResponse:MeetingResponse",
        element("MeetingResponse:Request", element("MeetingResponse:RequestId", "5:9")),
      ),
    told: always(
      hex(
        element(
          "MeetingResponse:MeetingResponse",
          element(
            "MeetingResponse:Result",
            status("MeetingResponse:RequestId", "5:9"),
            status("MeetingResponse:Status", "4"),
          ),
        ),
      ),
    ),
  },
  {
    title: "a search finds nothing",
    command: "Search",
    asks: () => element("Search:Search", element("Search:Store", element("Search:Name", "GAL"))),
    told: always("03016a00000f454c033100014d474c033100010e4b03302d3000015003300001010101"),
  },
  {
    title: "who the phone is goes upstream, from the version on that has it",
    command: "Settings",
    asks: () => settings(element("Settings:DeviceInformation", element("Settings:Set"))),
    upstream: settings(
      status("Settings:Status", "1"),
      element("Settings:DeviceInformation", status("Settings:Status", "1")),
    ),
    told: byVersion(
      from(
        "12.0",
        hex(
          settings(
            status("Settings:Status", "1"),
            element("Settings:DeviceInformation", status("Settings:Status", "1")),
          ),
        ),
        unknown,
      ),
    ),
  },
  {
    title: "the absence message is neither read nor changed",
    command: "Settings",
    asks: () => settings(element("Settings:Oof", element("Settings:Get"))),
    told: byVersion(
      from(
        "12.0",
        hex(settings(status("Settings:Status", "1"), element("Settings:Oof", status("Settings:Status", "3")))),
        unknown,
      ),
    ),
  },
  {
    title: "rights to read protected mail are not to be had",
    command: "Settings",
    asks: () => settings(element("Settings:RightsManagementInformation", element("Settings:Get"))),
    told: byVersion(
      from(
        "12.0",
        hex(
          settings(
            status("Settings:Status", "1"),
            element("Settings:RightsManagementInformation", status("Settings:Status", "3")),
          ),
        ),
        unknown,
      ),
    ),
  },
  {
    title: "a Ping waits, and hears when its time is over that nothing has changed",
    command: "Ping",
    asks: () => ping("480", [inbox, "Email"]),
    told: always("03016a00000d45470331000101"),
  },
  {
    title: "an item is not there",
    command: "ItemOperations",
    asks: () =>
      element(
        "ItemOperations:ItemOperations",
        element(
          "ItemOperations:Fetch",
          element("ItemOperations:Store", "Mailbox"),
          element("AirSync:CollectionId", inbox),
          element("AirSync:ServerId", "5:9"),
        ),
      ),
    told: byVersion(from("12.0", "03016a000014454d033100014e464d03360001000052033500014d03353a390001010101", unknown)),
  },
  {
    title: "an attachment is not there, and no folder is emptied",
    command: "ItemOperations",
    asks: () =>
      element(
        "ItemOperations:ItemOperations",
        element("ItemOperations:Fetch", element("AirSyncBase:FileReference", "5:1:0")),
        element("ItemOperations:EmptyFolderContents", element("AirSync:CollectionId", inbox)),
      ),
    told: byVersion(
      from(
        "12.0",
        hex(
          element(
            "ItemOperations:ItemOperations",
            status("ItemOperations:Status", "1"),
            element(
              "ItemOperations:Response",
              element(
                "ItemOperations:Fetch",
                status("ItemOperations:Status", "15"),
                status("AirSyncBase:FileReference", "5:1:0"),
              ),
              element(
                "ItemOperations:EmptyFolderContents",
                status("ItemOperations:Status", "3"),
                status("AirSync:CollectionId", inbox),
              ),
            ),
          ),
        ),
        unknown,
      ),
    ),
  },
  {
    title: "policies and orders to wipe come from upstream",
    command: "Provision",
    asks: () => element("Provision:Provision", element("Provision:Policies")),
    upstream: provision,
    told: always(hex(provision)),
  },
  {
    title: "nobody is found by name",
    command: "ResolveRecipients",
    asks: () => element("ResolveRecipients:ResolveRecipients", element("ResolveRecipients:To", "bob")),
    told: always(
      hex(
        element(
          "ResolveRecipients:ResolveRecipients",
          status("ResolveRecipients:Status", "1"),
          element(
            "ResolveRecipients:Response",
            status("ResolveRecipients:To", "bob"),
            status("ResolveRecipients:Status", "4"),
            status("ResolveRecipients:RecipientCount", "0"),
          ),
        ),
      ),
    ),
  },
  {
    title: "no certificate can be judged",
    command: "ValidateCert",
    asks: () =>
      element(
        "ValidateCert:ValidateCert",
        element("ValidateCert:Certificates", element("ValidateCert:Certificate", "A")),
      ),
    told: always(
      hex(
        element(
          "ValidateCert:ValidateCert",
          status("ValidateCert:Status", "1"),
          element("ValidateCert:Certificate", status("ValidateCert:Status", "17")),
        ),
      ),
    ),
  },
  {
    title: "nothing is found by a command that came with 16.1",
    command: "Find",
    asks: () => element("Find:Find", element("Find:SearchId", "1"), element("Find:ExecuteSearch")),
    told: {
      ...byVersion(from("14.0", hex(element("Find:Find", status("Find:Status", "137"))), unknown)),
      "16.1": hex(
        element(
          "Find:Find",
          status("Find:Status", "1"),
          element(
            "Find:Response",
            status("ItemOperations:Store", "Mailbox"),
            status("Find:Status", "1"),
            status("Find:Range", "0-0"),
            status("Find:Total", "0"),
          ),
        ),
      ),
    },
  },
];

suite("in quarantine", () => {
  for (const { title, command, asks, query, told, upstream } of rows) {
    for (const version of protocolVersions) {
      test(`${command} (${version}): ${title}`, async () => {
        const phone = aHeldPhone({
          version,
          remembered: settled,
          ...(upstream === undefined ? {} : { upstream: () => anAnswer({ body: Buffer.from(hex(upstream), "hex") }) }),
        });
        const reply = answerFrom(await phone.ask(command, asks(version), query === undefined ? {} : { query }));
        const expected = told[version];
        const retryAfter = reply.headers.find(([name]) => name === "Retry-After")?.[1];
        if (typeof expected === "string") {
          assert.equal(reply.httpStatus, 200);
          assert.equal(hexFrom(reply), vector(expected));
        } else {
          assert.deepEqual([reply.httpStatus, reply.body, retryAfter], [expected.http, undefined, expected.retryAfter]);
        }
        const goesUp = upstream !== undefined && (typeof expected === "string" || expected.http !== 501);
        assert.equal(phone.forwarded.length, goesUp ? 1 : 0);
      });
    }
  }

  test("no command is left out", () => {
    const commands: Readonly<Record<CommandName, boolean>> = {
      Sync: true,
      SendMail: true,
      SmartForward: true,
      SmartReply: true,
      GetAttachment: true,
      FolderSync: true,
      FolderCreate: true,
      FolderDelete: true,
      FolderUpdate: true,
      MoveItems: true,
      GetItemEstimate: true,
      MeetingResponse: true,
      Search: true,
      Settings: true,
      Ping: true,
      ItemOperations: true,
      Provision: true,
      ResolveRecipients: true,
      ValidateCert: true,
      Find: true,
    };
    assert.deepEqual(new Set(rows.map(({ command }) => command)), new Set(Object.keys(commands)));
  });

  test("a command of times before 2.5, or of times to come, is none in any version", async () => {
    for (const version of protocolVersions) {
      for (const command of ["GetHierarchy", "CreateCollection", "Notify", "Tomorrow"]) {
        const phone = aHeldPhone({ version });
        const reply = answerFrom(await phone.askFor(command, Buffer.from("anything")));
        assert.deepEqual([reply.httpStatus, reply.body], [501, undefined]);
        assert.deepEqual(phone.forwarded, []);
        assert.deepEqual(phone.discarded, [8], "and is read to its end, so that the phone hears the answer");
      }
    }
  });
});
