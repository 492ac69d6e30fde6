/** Phones that do not understand what they are told, and ask the same again and again. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { element } from "../../src/activesync/document.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import type { Reply } from "../../src/gateway/protocol.ts";
import {
  addOf,
  calendar,
  change,
  folderSync,
  hex,
  inbox,
  ping,
  projects,
  sync,
  textsIn,
} from "../support/activesync-documents.ts";
import {
  aHeldPhone,
  answerFrom,
  documentFrom,
  foldersKnown,
  noon,
  ourKey,
  refusalFrom,
} from "../support/remediation.ts";
import type { AskOptions, HeldPhone, HeldPhoneOptions } from "../support/remediation.ts";

const lookAtFolders = hex(element("AirSync:Sync", element("AirSync:Status", "12")));
const stayAway = { httpStatus: 503, retryAfter: "900" };
const later = (ms: number): Date => new Date(noon.getTime() + ms);
const minutes10 = 600_000;

/** What a reply tells a phone, in a word. */
function said(reply: Reply): string {
  if (reply.kind === "pass") return "passed";
  const { httpStatus, body } = answerFrom(reply);
  if (httpStatus !== 200) return `HTTP ${httpStatus}`;
  if (body === undefined) return "nothing new";
  const document = documentFrom(reply);
  const statuses = document.content.flatMap((part) =>
    typeof part === "object" && "tag" in part && part.tag.endsWith(":Status") ? textsIn(part, part.tag) : [],
  );
  return (statuses.length > 0 ? statuses : textsIn(document, "AirSync:Status")).join(" ");
}

async function repeated(
  times: number,
  phone: HeldPhone,
  command: Parameters<HeldPhone["ask"]>[0],
  body: Element | undefined,
  options?: AskOptions,
): Promise<string[]> {
  const answers: string[] = [];
  for (let time = 0; time < times; time += 1) answers.push(said(await phone.ask(command, body, options)));
  return answers;
}

const refused = sync({ key: "77", id: inbox });

suite("a phone that keeps a key of its mail server after it was told to start anew", () => {
  for (const version of ["12.1", "14.1"] as const) {
    test(`is told three times, then to look at its folders, and then to stay away: ${version}`, async () => {
      const phone = aHeldPhone({ version });
      assert.deepEqual(await repeated(3, phone, "Sync", refused), ["3", "3", "3"]);
      assert.equal(hex(documentFrom(await phone.ask("Sync", refused))), lookAtFolders);
      assert.deepEqual(phone.reported, []);
      for (let time = 0; time < 20; time += 1)
        assert.deepEqual(refusalFrom(await phone.ask("Sync", refused)), stayAway);
      assert.deepEqual(phone.reported, ["sync-key-refused"], "operators hear of it once");
      assert.deepEqual(phone.forwarded, []);
    });
  }

  for (const version of ["2.5", "12.0"] as const) {
    test(`is told three times, and then to stay away, for ${version} has no word for more`, async () => {
      const phone = aHeldPhone({ version });
      assert.deepEqual(await repeated(6, phone, "Sync", refused), ["3", "3", "3", "HTTP 503", "HTTP 503", "HTTP 503"]);
      assert.deepEqual(phone.reported, ["sync-key-refused"]);
    });
  }

  test("is not stopped while it starts anew in between", async () => {
    const phone = aHeldPhone();
    for (let time = 0; time < 8; time += 1) {
      assert.deepEqual(await repeated(3, phone, "Sync", refused), ["3", "3", "3"]);
      assert.deepEqual(await repeated(1, phone, "Sync", sync({ key: "0", id: inbox })), ["1"]);
    }
    assert.deepEqual(phone.reported, []);
  });

  test("begins with a clean slate when it has stayed away, whatever the clock did", async () => {
    for (const now of [later(minutes10), later(-minutes10)]) {
      const phone = aHeldPhone();
      assert.equal((await repeated(9, phone, "Sync", refused)).at(-1), "HTTP 503");
      assert.deepEqual(await repeated(4, phone, "Sync", refused, { now }), ["3", "3", "3", "12"]);
    }
  });

  test("is stopped for one folder, and not for another", async () => {
    const phone = aHeldPhone();
    await repeated(9, phone, "Sync", refused);
    assert.deepEqual(await repeated(3, phone, "Sync", sync({ key: "77", id: projects })), ["3", "3", "3"]);
  });

  test("gets no key of ours in an answer that it does not get", async () => {
    const phone = aHeldPhone();
    await repeated(5, phone, "Sync", refused);
    const both = sync({ key: "77", id: inbox }, { key: "0", id: projects });
    assert.deepEqual(await repeated(1, phone, "Sync", both), ["HTTP 503"]);
  });
});

suite("a phone that was released and keeps a key of ours", () => {
  const released: HeldPhoneOptions = { remembered: [foldersKnown, { issue: [inbox] }] };
  const kept = sync({ key: ourKey(inbox, { state: 2 }), id: inbox });

  test("is told three times to start anew, then to look at its folders, then to stay away, and nothing goes upstream", async () => {
    const phone = aHeldPhone(released);
    const answers = await repeated(6, phone, "Sync", kept, { allowed: true });
    assert.deepEqual(answers, ["3", "3", "3", "12", "HTTP 503", "HTTP 503"]);
    assert.deepEqual(phone.reported, ["sync-key-refused"]);
  });

  test("gets on as soon as it starts anew", async () => {
    const phone = aHeldPhone(released);
    await repeated(3, phone, "Sync", kept, { allowed: true });
    assert.deepEqual(await repeated(1, phone, "Sync", sync({ key: "0", id: inbox }), { allowed: true }), ["passed"]);
    assert.deepEqual(await repeated(3, phone, "Sync", kept, { allowed: true }), ["3", "3", "3"]);
  });

  test("is not stopped for being held and released: each time it comes with another key, wherever it has started anew", async () => {
    const phone = aHeldPhone(released);
    for (const key of ["71", "72", "73", "74", "75"]) {
      assert.deepEqual(await repeated(1, phone, "Sync", sync({ key, id: inbox })), ["3"]);
      const ours = sync({ key: ourKey(inbox, { state: 2, touches: Number(key) }), id: inbox });
      assert.deepEqual(await repeated(1, phone, "Sync", ours, { allowed: true }), ["3"]);
    }
    assert.deepEqual(phone.reported, []);
  });
});

suite("a phone that says less than it should", () => {
  for (const [title, options] of [
    ["in quarantine", {}],
    ["on its way out", { allowed: true }],
  ] as const) {
    test(`is asked three times to say it in full, then to look at its folders, and then to stay away: ${title}`, async () => {
      const phone = aHeldPhone({ remembered: [foldersKnown, { issue: [inbox], unheard: ["Sync"] }] });
      const answers = await repeated(6, phone, "Sync", undefined, options);
      assert.deepEqual(answers, ["13", "13", "13", "12", "HTTP 503", "HTTP 503"]);
      assert.deepEqual(phone.reported, ["sync-incomplete"]);
    });
  }

  test("may do so each time that it has said it in full", async () => {
    const phone = aHeldPhone();
    for (let time = 0; time < 8; time += 1) {
      await repeated(1, phone, "Sync", sync({ key: "77", id: calendar }));
      assert.deepEqual(await repeated(2, phone, "Sync", undefined), ["13", "13"]);
    }
  });
});

suite("a phone that uploads what cannot be taken now", () => {
  const mixed = sync(
    { key: ourKey(inbox, { state: 2 }), id: inbox },
    { key: "77", id: calendar, commands: [addOf("c1")] },
  );

  test("is told to come later ten times, and then to stay away", async () => {
    const phone = aHeldPhone();
    const answers = await repeated(12, phone, "Sync", mixed);
    assert.deepEqual(new Set(answers.slice(1, 10)), new Set(["16"]));
    assert.deepEqual(answers.slice(10), ["HTTP 503", "HTTP 503"]);
    assert.deepEqual(phone.reported, ["upload-refused"]);
  });

  test("may mark its notice as read as often as it likes", async () => {
    const phone = aHeldPhone();
    await repeated(1, phone, "Sync", sync({ key: ourKey(inbox), id: inbox }));
    const marked = sync({ key: ourKey(inbox, { state: 2 }), id: inbox, commands: [change("5:2000000001")] });
    assert.deepEqual(new Set(await repeated(30, phone, "Sync", marked)), new Set(["1"]));
  });
});

test("a phone that starts one folder anew without end is told to stay away after thirty times", async () => {
  const phone = aHeldPhone();
  const answers = await repeated(31, phone, "Sync", sync({ key: "0", id: inbox }));
  assert.deepEqual(new Set(answers.slice(0, 30)), new Set(["1"]));
  assert.equal(answers[30], "HTTP 503");
  assert.deepEqual(phone.reported, ["folder-restarted"]);
});

suite("a phone that keeps a key of ours for its list of folders", () => {
  const kept = folderSync(ourKey("hierarchy"));

  test("is told three times to ask for all folders, and then to stay away, and the key goes nowhere", async () => {
    for (const options of [{}, { allowed: true }]) {
      const phone = aHeldPhone();
      assert.deepEqual(await repeated(5, phone, "FolderSync", kept, options), ["9", "9", "9", "HTTP 503", "HTTP 503"]);
      assert.deepEqual(phone.reported, ["folders-refused"]);
      assert.deepEqual(phone.forwarded, []);
    }
  });

  test("may go on when it has asked for all folders", async () => {
    const phone = aHeldPhone();
    await repeated(3, phone, "FolderSync", kept, { allowed: true });
    assert.deepEqual(await repeated(1, phone, "FolderSync", folderSync("0"), { allowed: true }), ["passed"]);
    assert.deepEqual(await repeated(1, phone, "FolderSync", kept, { allowed: true }), ["9"]);
  });
});

suite("a Ping that cannot be waited for", () => {
  const mail = ["5", "Email"] as const;
  const known: HeldPhoneOptions = { remembered: [foldersKnown, { issue: [inbox] }] };
  const today = { notice: { revision: 1, digest: "first wording", language: "en", at: noon } };

  for (const [title, request, status] of [
    ["because nobody knows what it is for", undefined, "3"],
    ["because it is too short", ping("5", mail), "5"],
    ["because it is too long", ping("9999", mail), "5"],
  ] as const) {
    test(`is refused at once, and the second time after a minute: ${title}`, async () => {
      const phone = aHeldPhone(known);
      assert.deepEqual(await repeated(1, phone, "Ping", request), [status]);
      assert.equal(phone.waits.length, 0);
      assert.deepEqual(await repeated(2, phone, "Ping", request), [status, status]);
      assert.equal(phone.waits.length, 2);
      for (const ms of phone.waits) assert.ok(ms > 59_000 && ms <= 60_000, `${ms} ms`);
      assert.deepEqual(phone.reported, ["ping-refused"]);
    });
  }

  test("is no circle when the phone gets on from one refusal to the next a minute later", async () => {
    const phone = aHeldPhone(known);
    await repeated(1, phone, "Ping", undefined);
    await repeated(1, phone, "Ping", ping("5", mail), { now: later(60_000) });
    assert.deepEqual(phone.waits, []);
  });

  test("ends as soon as the phone is let through", async () => {
    const phone = aHeldPhone({ ...known, news: ["deferred", "released", "expired"] });
    await repeated(2, phone, "Ping", ping("5", mail));
    assert.equal(phone.waits.length, 2);
  });

  test("is told to operators when the phone was sent to its Inbox three times and did not go", async () => {
    const phone = aHeldPhone({ remembered: [foldersKnown, today] });
    const answers = await repeated(4, phone, "Ping", ping("480", mail));
    assert.deepEqual(answers, ["2", "2", "2", "1"]);
    assert.deepEqual(phone.reported, ["ping-in-vain"]);
  });

  test("is no circle when the phone goes to look each time", async () => {
    const phone = aHeldPhone({ remembered: [foldersKnown, today] });
    for (let time = 0; time < 5; time += 1) {
      await repeated(1, phone, "Ping", ping("480", mail), { now: later(time * 86_400_000) });
      await repeated(1, phone, "Sync", sync({ key: ourKey(inbox, { state: 2 }), id: inbox }));
    }
    assert.deepEqual(phone.reported, []);
  });
});

test("whoever has not proven to be the person is counted nowhere, and ends no count", async () => {
  const unproven: AskOptions = {
    refusedCredential: { kind: "answer", httpStatus: 401, headers: [], body: undefined },
  };
  const phone = aHeldPhone();
  assert.deepEqual(new Set(await repeated(9, phone, "Sync", refused, unproven)), new Set(["HTTP 401"]));
  assert.deepEqual(await repeated(3, phone, "Sync", refused), ["3", "3", "3"]);
  await repeated(1, phone, "Sync", sync({ key: "0", id: inbox }), unproven);
  assert.deepEqual(await repeated(2, phone, "Sync", refused), ["12", "HTTP 503"]);
});
