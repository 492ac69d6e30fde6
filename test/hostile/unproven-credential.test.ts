/** A guessed password, a colleague's password, none at all: nobody learns or changes anything about a phone with them. */
import assert from "node:assert/strict";
import http from "node:http";
import { suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { element } from "../../src/activesync/document.ts";
import { commandNamed } from "../../src/activesync/commands.ts";
import { encode } from "../../src/activesync/wbxml.ts";
import { collection, folderSync, inbox, ping, remove, sync, syncOf } from "../support/activesync-documents.ts";
import { eventually } from "../support/eventually.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import { aServer, exchangeBytes } from "../support/http.ts";
import { deviceId } from "../support/records.ts";
import { answerOptions, basic, mailboxOf, post, target } from "./wire.ts";

const wrong = { password: "guessed" };
const now = (): Date => new Date("2026-11-24T08:00:00Z");
const inGrace = `
campaigns:
  - id: tiktok
    title: TikTok is not permitted on phones that read company mail
    require:
      - absent: { name: TikTok, ios: [com.zhiliaoapp.musically] }
    waves: [{ deadline: "2026-11-25T12:00", timezone: UTC }]
`;
const words = /TikTok|iPhone|it@corp|Example Ltd|PHONE[AB]/;

const documents: Readonly<Record<string, ReturnType<typeof element> | undefined>> = {
  Sync: sync({ key: "0", id: inbox }),
  Ping: ping("480", [inbox, "Email"]),
  FolderSync: folderSync("0"),
  Provision: element("Provision:Provision"),
  Settings: element("Settings:Settings", element("Settings:UserInformation", element("Settings:Get"))),
  SendMail: element("ComposeMail:SendMail"),
  SmartReply: element("ComposeMail:SmartReply"),
  SmartForward: element("ComposeMail:SmartForward"),
  GetAttachment: undefined,
  FolderCreate: element("FolderHierarchy:FolderCreate"),
  MoveItems: element("Move:MoveItems"),
  GetItemEstimate: element("GetItemEstimate:GetItemEstimate"),
  MeetingResponse: element("MeetingResponse:MeetingResponse"),
  Search: element("Search:Search"),
  Find: element("Find:Find"),
  ItemOperations: element("ItemOperations:ItemOperations"),
  ResolveRecipients: element("ResolveRecipients:ResolveRecipients"),
  ValidateCert: element("ValidateCert:ValidateCert"),
  Nonsense: undefined,
};

suite("a phone in quarantine says nothing to a guessed password", () => {
  for (const [command, document] of Object.entries(documents)) {
    test(`${command}${commandNamed(command) === "Unknown" ? ", which is no command" : ""}`, async (t) => {
      const gate = await aGate(t);
      await gate.reports("PHONEA", withTiktok);
      const before = await mailboxOf(gate.store);
      for (const options of [wrong, { user: "nobody" }, { headers: { Authorization: "Bearer x.y.z" } }]) {
        const answer = await post(gate, command, document, { user: "alice", ...options });
        assert.equal(answer.status, 401);
        assert.doesNotMatch(answer.body.toString("latin1"), words);
      }
      const nobody = await post(gate, command, document, { headers: { Authorization: "" } });
      assert.ok(nobody.status === 401 || nobody.status === 503, String(nobody.status));
      assert.deepEqual(await mailboxOf(gate.store), before);
      assert.deepEqual(
        gate.upstream.journal().filter(({ method }) => method !== "OPTIONS"),
        [],
      );
    });
  }
});

test("the notice of a warned phone is not shown to a guessed password", async (t) => {
  const gate = await aGate(t, { config: inGrace, now });
  await gate.reports("PHONEA", { ...clean, owner: "alice" });
  await gate.phone().refresh();
  await gate.reports("PHONEA", { ...withTiktok, owner: "alice" });
  const answer = await post(gate, "Sync", sync({ key: "1", id: inbox }), wrong);
  assert.doesNotMatch(answer.body.toString("latin1"), words);
  assert.equal(answer.status, 401);
});

test("a guessed password does not make the notice of a warned phone go away", async (t) => {
  const gate = await aGate(t, { config: inGrace, now });
  await gate.reports("PHONEA", clean);
  const phone = gate.phone();
  await phone.refresh();
  await gate.reports("PHONEA", withTiktok);
  await phone.refresh();
  const before = await mailboxOf(gate.store);
  assert.equal(before.warning?.shown, 1);
  const deletion = syncOf([collection({ key: "1", id: inbox, commands: [remove(`${inbox}:2000000001`)] })]);
  await post(gate, "Sync", deletion, wrong);
  assert.deepEqual(await mailboxOf(gate.store), before);
});

test("a phone on its way out of quarantine is not told apart by a guessed password", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEA", withTiktok);
  await gate.phone().refresh();
  await gate.reports("PHONEA", clean);
  await gate.reports("PHONEB", clean);
  for (const document of [undefined, sync({ key: "{50535451-0000-0000-0000-000000000000}1", id: inbox })]) {
    const draining = await post(gate, "Sync", document, wrong);
    const other = await post(gate, "Sync", document, { ...wrong, id: "PHONEB" });
    assert.equal(draining.status, other.status);
  }
});

test("a guessed password cannot finish the way out of quarantine of somebody's phone", async (t) => {
  const upstream = await aServer(t, (req, res) => {
    req.resume();
    if (req.method === "OPTIONS") answerOptions(req, res, basic("alice", "guessed"));
    // Everything else is never answered.
  });
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.store.updateMailbox({ device: deviceId("PHONEA"), account: "alice" }, { issue: [inbox] });
  await gate.reports("PHONEA", clean);
  const body = encode(sync({ key: "0", id: inbox }));
  const request = http.request(gate.url + target("Sync"), {
    method: "POST",
    headers: { Authorization: basic("alice", "guessed"), "Content-Length": body.byteLength },
  });
  request.on("error", () => {});
  request.end(body);
  await eventually(() => assert.ok(upstream.seen.some(({ method }) => method === "POST")));
  request.destroy();
  await setTimeout(100);
  assert.deepEqual([...(await mailboxOf(gate.store)).issued], [inbox]);
});

test("a Ping with a guessed password is not remembered", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEA", clean);
  const answer = await post(gate, "Ping", ping("480", ["evil", "Email"]), wrong);
  assert.equal(answer.status, 401);
  await setTimeout(50);
  assert.equal((await mailboxOf(gate.store)).ping, undefined);
});

suite("a refused password is answered in the same bytes for a phone in quarantine and for one that is not", () => {
  const challenges = ["Negotiate", "NTLM", 'Basic realm="Mail"'];
  const servers: Readonly<Record<string, http.RequestListener | undefined>> = {
    "the demonstration's server": undefined,
    "a server that says how long its answer is": (_req, res) => {
      res.writeHead(401, { "WWW-Authenticate": challenges, "Content-Length": 4, "X-Powered-By": "x" });
      res.end("page");
    },
    "a server that does not": (_req, res) => {
      res.writeHead(401, "Authorization Required", { "Set-Cookie": ["a=b", "c=d"], "Cache-Control": "private" });
      res.write("page");
      res.end();
    },
    "a server that has nothing more to say": (_req, res) => {
      res.writeHead(403, "Who are you?");
      res.end();
    },
    "a server that closes the connection": (_req, res) => {
      res.writeHead(401, { Connection: "close", "WWW-Authenticate": challenges });
      res.end("page");
    },
  };
  for (const [name, handler] of Object.entries(servers)) {
    for (const client of ["HTTP/1.1\r\nConnection: close", "HTTP/1.1", "HTTP/1.0"]) {
      test(`${name}, ${client.replaceAll("\r\n", ", ")}`, async (t) => {
        const upstream = handler === undefined ? undefined : (await aServer(t, handler)).url;
        const gate = await aGate(t, upstream === undefined ? {} : { upstream });
        await gate.reports("PHONEA", withTiktok);
        await gate.reports("PHONEB", clean);
        const answers: string[] = [];
        for (const id of ["PHONEA", "PHONEB"]) {
          const answer = await exchangeBytes(
            gate.app.mail.port,
            `POST ${target("Sync", id)} ${client}\r\nHost: x\r\nAuthorization: ${basic("alice", "guessed")}\r\nContent-Length: 0\r\n\r\n`,
            /\r\n\r\n(?:page|4\r\npage\r\n0\r\n\r\n)?$/,
          );
          answers.push(answer.replace(/^date: .*$/im, "date: now"));
        }
        assert.match(answers[0] ?? "", /^HTTP\/1.1 40[13] /);
        assert.equal(answers[0], answers[1]);
      });
    }
  }
});

test("a colleague with a good password does not read why somebody's phone was blocked, nor what it is", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEB", {
    ...clean,
    owner: "bob@demo.example",
    model: "Bobs own phone",
    override: JSON.stringify({ action: "block", why: "stolen from Bob", who: "olga" }),
  });
  const alice = gate.phone({ deviceId: "PHONEB" });
  await alice.refresh();
  const [message] = alice.inbox();
  assert.ok(message !== undefined);
  assert.doesNotMatch(JSON.stringify(await alice.fetch(message)), /stolen|Bobs own phone|bob@demo/);
});

test("a colleague with a good password does not read what is on somebody's phone", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEB", { ...withTiktok, owner: "bob@demo.example", model: "Bobs own phone" });
  const alice = gate.phone({ deviceId: "PHONEB" });
  await alice.refresh();
  const [message] = alice.inbox();
  assert.ok(message !== undefined);
  assert.doesNotMatch(JSON.stringify(await alice.fetch(message)), /TikTok|Bobs own phone|bob@demo/);
});

test("a proof of one person's credential is none for another's", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEA", withTiktok);
  assert.equal((await post(gate, "Sync", documents["Sync"])).status, 200);
  assert.equal((await post(gate, "Sync", documents["Sync"], wrong)).status, 401);
  assert.equal((await post(gate, "Sync", documents["Sync"], { user: "bob" })).status, 401);
  assert.equal((await post(gate, "Sync", documents["Sync"])).status, 200);
});

test("a server that answers OPTIONS to everybody proves no password", async (t) => {
  const upstream = await aServer(t, (req, res) => {
    req.resume();
    res.statusCode = req.method === "OPTIONS" || req.headers.authorization === basic() ? 200 : 401;
    res.end();
  });
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("PHONEA", withTiktok);
  const primed = await post(gate, "Sync", sync({ key: "0", id: inbox }), wrong);
  assert.notEqual(primed.status, 200);
});
