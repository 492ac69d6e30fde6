import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { runPhone, type PhoneAction, type PhoneCommandOptions, type PhoneIo } from "../../src/phone/command.ts";
import { pingedFolders } from "./support/documents.ts";
import { mailboxOf, type Mailbox } from "./support/mailbox.ts";
import { asked } from "./support/phones.ts";
import { startServer, type ScriptedServer } from "./support/scripted-server.ts";

interface Table {
  readonly server: ScriptedServer;
  readonly mailbox: Mailbox;
  readonly directory: string;
  out(): string;
  error(): string;
  readonly stop: AbortController;
  run(action: PhoneAction, options?: Partial<PhoneCommandOptions>, io?: Partial<PhoneIo>): Promise<number>;
}

async function aTable(t: TestContext, ...subjects: string[]): Promise<Table> {
  const mailbox = mailboxOf(...subjects);
  const server = await startServer(t, (request) => mailbox.answer(request));
  const directory = await mkdtemp(join(tmpdir(), "postern-phone-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const stop = new AbortController();
  let [out, error] = ["", ""];
  return {
    server,
    mailbox,
    directory,
    stop,
    out: () => out,
    error: () => error,
    run: (action, options = {}, io = {}) => {
      [out, error] = ["", ""];
      return runPhone(
        action,
        { url: server.url, user: "alice@postern.test", device: "PHONE01", ...options },
        {
          stdout: { write: (text) => void (out += text), columns: 60 },
          stderr: { write: (text) => void (error += text) },
          env: { POSTERN_PHONE_PASSWORD: "secret" },
          signal: stop.signal,
          now: () => new Date("2026-11-24T15:02:00Z"),
          timeZone: "UTC",
          pause: async () => undefined,
          ...io,
        },
      );
    },
  };
}

const inbox = { kind: "inbox" } as const;

suite("postern phone", () => {
  test("shows the inbox", async (t) => {
    const table = await aTable(t, "First", "Second");
    assert.equal(await table.run(inbox), 0);
    assert.match(table.out(), /● Mail flows\./u);
    assert.match(table.out(), /2 messages, 2 unread/u);
    assert.match(table.out(), /^│ {2}● 1 {2}Carol Clerk +10:00 {2}│\n│ {7}Second/mu);
    assert.deepEqual(asked(table.server).slice(0, 3), ["OPTIONS", "Provision", "FolderSync 0"]);
  });

  test("shows that a mailbox holds one message", async (t) => {
    const table = await aTable(t, "Your mail is on hold");
    assert.equal(await table.run(inbox), 0);
    assert.match(table.out(), /● This mailbox holds one message, from Carol Clerk\./u);
  });

  test("writes the same as JSON", async (t) => {
    const table = await aTable(t, "First", "Second");
    assert.equal(await table.run(inbox, { json: true }), 0);
    const written: unknown = JSON.parse(table.out());
    assert.ok(typeof written === "object" && written !== null && "connection" in written && "inbox" in written);
    assert.deepEqual(written.connection, { kind: "mail", tone: "good", words: "Mail flows." });
    assert.ok(Array.isArray(written.inbox) && written.inbox.length === 2);
  });

  test("remembers in a file that only its owner can read, and asks only for what is new", async (t) => {
    const table = await aTable(t, "First");
    const state = join(table.directory, "phone.json");
    assert.equal(await table.run(inbox, { state }), 0);
    assert.equal((await stat(state)).mode & 0o777, 0o600);
    assert.doesNotMatch(await readFile(state, "utf8"), /secret/u);
    table.mailbox.subjects.push("Second");
    const before = table.server.received.length;
    assert.equal(await table.run(inbox, { state }), 0);
    assert.match(table.out(), /2 messages/u);
    assert.deepEqual(asked(table.server).slice(before), ["FolderSync h1", "Sync k1 inbox"]);
  });

  test("shows what it has when the server is away, and exits with 4", async (t) => {
    const table = await aTable(t, "First");
    const state = join(table.directory, "phone.json");
    await table.run(inbox, { state });
    assert.equal(await table.run(inbox, { state, url: "http://127.0.0.1:1" }), 4);
    assert.match(table.out(), /● The server cannot be reached\./u);
    assert.match(table.out(), /First/u);
  });

  for (const [answer, words] of [
    [401, "The server does not accept this password."],
    [403, "The server does not let this account use a phone (HTTP 403)."],
    [
      { httpStatus: 503, headers: { "Retry-After": "900" } },
      "The server asks to come back later (HTTP 503), in 15 min.",
    ],
    [500, "The server failed (HTTP 500)."],
  ] as const) {
    test(`says "${words}" and exits with 1`, async (t) => {
      const table = await aTable(t);
      table.mailbox.refuse = answer;
      assert.equal(await table.run(inbox, { json: true }), 1);
      assert.ok(table.out().includes(JSON.stringify(words)));
    });
  }

  test("opens a message and marks it as read", async (t) => {
    const table = await aTable(t, "First", "Second");
    assert.equal(await table.run({ kind: "read", number: 2 }), 0);
    assert.match(table.out(), /First/u);
    assert.match(table.out(), /\n {2}The whole text\.\n$/u);
    assert.equal(asked(table.server).at(-1), "Sync k2 inbox");
  });

  test("sends a message", async (t) => {
    const table = await aTable(t);
    const mail = { kind: "send", to: "bob@postern.test", subject: "Hello", text: "Hello." } as const;
    assert.equal(await table.run(mail), 0);
    assert.equal(table.out(), "Sent.\n");
  });

  test("keeps a message that was not sent, and sends it with the next call", async (t) => {
    const table = await aTable(t, "First");
    const state = join(table.directory, "phone.json");
    table.mailbox.refuse = 503;
    const mail = { kind: "send", to: "bob@postern.test", subject: "Hello", text: "Hello." } as const;
    assert.equal(await table.run(mail, { state, as: "14.1" }), 1);
    assert.match(table.out(), /^Not sent\. It waits in the outbox/u);
    table.mailbox.refuse = undefined;
    assert.equal(await table.run(inbox, { state, as: "14.1" }), 0);
    assert.ok(asked(table.server).includes("SendMail"));
    assert.doesNotMatch(table.out(), /Outbox/u);
  });
});

suite("postern phone --watch", () => {
  test("shows itself again when something has changed, and ends when it is told to", async (t) => {
    const table = await aTable(t, "First");
    table.mailbox.pings.push(
      () => pingedFolders("inbox"),
      () => {
        table.mailbox.subjects.push("Second");
        return pingedFolders("inbox");
      },
      () => {
        table.stop.abort();
        return "silent";
      },
    );
    assert.equal(await table.run({ kind: "watch" }, { json: true }), 0);
    const shown = table.out().trimEnd().split("\n");
    assert.equal(shown.length, 2, "a Ping that brought nothing is no reason to be shown again");
    assert.match(shown[1] ?? "", /Second/u);
  });

  test("keeps trying while the server is busy", async (t) => {
    const table = await aTable(t, "First");
    table.mailbox.refuse = 503;
    const pauses: number[] = [];
    table.mailbox.pings.push(() => {
      table.stop.abort();
      return "silent";
    });
    const pause = async (milliseconds: number): Promise<void> => {
      pauses.push(milliseconds);
      if (pauses.length === 3) table.mailbox.refuse = undefined;
    };
    assert.equal(await table.run(inbox, { watch: true }, { pause }), 0);
    assert.deepEqual(pauses, [5000, 10_000, 20_000]);
    assert.match(table.out(), /come back later[\s\S]*First/u);
  });

  test("waits as long as it is asked to", async (t) => {
    const table = await aTable(t);
    table.mailbox.refuse = { httpStatus: 503, headers: { "Retry-After": "120" } };
    const pauses: number[] = [];
    const pause = async (milliseconds: number): Promise<void> => {
      pauses.push(milliseconds);
      table.stop.abort();
    };
    assert.equal(await table.run({ kind: "watch" }, {}, { pause }), 0);
    assert.deepEqual(pauses, [120_000]);
  });

  test("gives up where waiting does not help", async (t) => {
    const table = await aTable(t);
    table.mailbox.refuse = 401;
    assert.equal(await table.run({ kind: "watch" }), 1);
    assert.match(table.out(), /does not accept this password/u);
  });
});

suite("postern phone exits with 2", () => {
  const wrong: [title: string, options: Partial<PhoneCommandOptions>, words: RegExp][] = [
    ["at an address that is none", { url: "mail.test" }, /address of the server/u],
    ["at a device id with a dash", { device: "a-b" }, /1 to 32 letters and digits/u],
    ["at a version that does not exist", { as: "13.0" }, /--as takes one of 2\.5, 12\.0/u],
    ["at base64 in a version that has none", { as: "12.0", base64: true }, /has no base64 query/u],
    ["at a password file that is not there", { passwordFile: "/nonexistent/password" }, /--password-file/u],
    ["at a certificate file that is not there", { ca: "/nonexistent/ca.pem" }, /--ca/u],
  ];
  for (const [title, options, words] of wrong) {
    test(title, async (t) => {
      const table = await aTable(t);
      assert.equal(await table.run(inbox, options), 2);
      assert.match(table.error(), words);
      assert.equal(table.out(), "");
      assert.equal(table.server.received.length, 0);
    });
  }

  test("without a password, and does not ask for one", async (t) => {
    const table = await aTable(t);
    assert.equal(await table.run(inbox, {}, { env: {} }), 2);
    assert.match(table.error(), /--password-file FILE or set POSTERN_PHONE_PASSWORD/u);
  });

  test("at a message that is not there", async (t) => {
    const table = await aTable(t, "First");
    assert.equal(await table.run({ kind: "read", number: 2 }), 2);
    assert.match(table.error(), /no message 2: the inbox holds one message/u);
  });
});

suite("the files of postern phone", () => {
  test("a password file may end with a line feed", async (t) => {
    const table = await aTable(t, "First");
    const passwordFile = join(table.directory, "password");
    await writeFile(passwordFile, "from file\n");
    assert.equal(await table.run(inbox, { passwordFile }, { env: {} }), 0);
    const expected = `Basic ${Buffer.from("alice@postern.test:from file").toString("base64")}`;
    assert.equal(table.server.received[0]?.headers.authorization, expected);
  });

  for (const [title, content] of [
    ["no JSON", "{"],
    ["something else", '{"format":1}'],
  ] as const) {
    test(`a state file that holds ${title} is left alone`, async (t) => {
      const table = await aTable(t);
      const state = join(table.directory, "phone.json");
      await writeFile(state, content);
      assert.equal(await table.run(inbox, { state }), 1);
      assert.equal(await readFile(state, "utf8"), content);
    });
  }

  test("a state file of another phone is refused", async (t) => {
    const table = await aTable(t, "First");
    const state = join(table.directory, "phone.json");
    await table.run(inbox, { state });
    assert.equal(await table.run(inbox, { state, device: "PHONE02" }), 1);
    assert.match(table.error(), /state of another phone/u);
  });
});

suite("colours", () => {
  const tty = (write: (text: string) => void) => ({ write, isTTY: true, columns: 60 });
  for (const [title, env, coloured] of [
    ["are there for a terminal", {}, true],
    ["stay away with NO_COLOR", { NO_COLOR: "1" }, false],
    ["stay although NO_COLOR is there and empty", { NO_COLOR: "" }, true],
    ["stay away on a dumb terminal", { TERM: "dumb" }, false],
  ] as const) {
    test(title, async (t) => {
      const table = await aTable(t, "First");
      let shown = "";
      const io = { stdout: tty((text) => void (shown += text)), env: { POSTERN_PHONE_PASSWORD: "x", ...env } };
      assert.equal(await table.run(inbox, {}, io), 0);
      assert.equal(shown.includes("\u001b["), coloured);
    });
  }
});
