/** A real server, and what is less simple than one phone that is blocked and released: warnings, two nodes, outages. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { Phone } from "../../src/phone/phone.ts";
import { eventually } from "../support/eventually.ts";
import { clean, withTiktok } from "../support/gate.ts";
import { startBalancer } from "./support/balancer.ts";
import { type Gate, startGate } from "./support/gate.ts";
import { people } from "./support/people.ts";
import { seededSubjects } from "./support/seed.ts";
import { inboxFolder, otherMail, type PhoneWish, setStage, type Stage, subjects, succeeded } from "./support/stage.ts";

const TIKTOK = "com.zhiliaoapp.musically";
/** What every key that the gate makes begins with, and every item of its own ends in. */
const GATE_KEY = "{50535451-";
const GATE_ITEM = /:20000\d{5}/;
const PROMPT_MS = 5000;
const NEXT_VISITS_MS = 30_000;

const mail = seededSubjects.toReversed();
const inAWeek = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 16);
const campaign = `
campaigns:
  - id: tiktok
    title: TikTok is not permitted on phones that read company mail
    require:
      - absent: { name: TikTok, ios: [${TIKTOK}] }
    waves: [{ deadline: "${inAWeek}", timezone: UTC }]
`;

async function warned(stage: Stage, wish: PhoneWish): Promise<void> {
  const { owner, deviceId, protocolVersion } = wish;
  const phone = stage.phone(wish);
  await stage.reportFacts(deviceId, clean);
  await visit(phone, () => assert.deepEqual(subjects(phone).slice(-4), mail));
  const before = subjects(phone);

  await stage.reportFacts(deviceId, withTiktok);
  await visit(phone, () => assert.equal(fromIt(phone).length, 1));
  assert.deepEqual(real(phone), before);
  const [notice] = fromIt(phone);
  assert.ok(notice);
  const fetched = await phone.fetch(notice);
  assert.ok(fetched.kind === "ok" && /TikTok/.test(fetched.text), JSON.stringify(fetched));

  const news = `News for ${protocolVersion}`;
  await stage.deliver(owner, news);
  await visit(phone, () => assert.deepEqual(real(phone), [news, ...before]));
  assert.equal(fromIt(phone).length, 1, "once");
  const newest = phone.inbox().find(({ subject }) => subject === news);
  assert.ok(newest);
  succeeded(await phone.markRead(newest));
  const sent = `Sent on ${protocolVersion} while warned`;
  succeeded(await phone.send({ to: people.carol.address, subject: sent, text: "." }));
  await eventually(async () => assert.equal(await stage.sogo.countMail("carol", "INBOX", sent), 1), NEXT_VISITS_MS);

  await stage.reportFacts(deviceId, clean);
  await visit(phone, () => assert.deepEqual(subjects(phone), [news, ...before]));
  assert.equal(phone.inbox()[0]?.read, true);
  assert.deepEqual([phone.losses(), phone.outbox(), phone.pending()], [[], [], []]);
}

const fromIt = (phone: Phone) => phone.inbox().filter(({ from }) => from.address === "it@postern.test");
const real = (phone: Phone): string[] =>
  phone
    .inbox()
    .filter(({ from }) => from.address !== "it@postern.test")
    .map(({ subject }) => subject);

/** A phone comes again when it likes. */
async function visit(phone: Phone, sees: () => void): Promise<void> {
  await eventually(async () => {
    succeeded(await phone.refresh());
    sees();
  }, NEXT_VISITS_MS);
}

// Two servers at once: most of the time is spent in waiting.
suite("on a real server", { concurrency: 2 }, () => {
  suite("before the deadline", { concurrency: 1 }, () => {
    let stage: Stage;
    before(async () => {
      stage = await setStage({ moreConfig: campaign });
    });
    after(() => stage.end());

    // Two people at once, and each of them one phone after the other: mail for one phone is news to the others of its mailbox.
    const flows = { alice: ["2.5", "12.1", "14.1"], bob: ["12.0", "14.0"] } as const;
    suite("mail flows with the notice among it, and without it once the app is gone", { concurrency: 2 }, () => {
      for (const owner of ["alice", "bob"] as const) {
        suite(`on ${owner}'s phones`, { concurrency: 1 }, () => {
          for (const protocolVersion of flows[owner])
            test(protocolVersion, () =>
              warned(stage, { owner, deviceId: `WARNED${protocolVersion.replace(".", "")}`, protocolVersion }),
            );
        });
      }
    });

    test("the mail server has never heard of a key or a message of the gate's", async () => {
      const log = await stage.sogo.log();
      assert.ok(log.includes("<SyncKey>"));
      assert.ok(!log.includes(GATE_KEY));
      assert.doesNotMatch(log, GATE_ITEM);
    });
  });

  suite("with phones that are held", { concurrency: 1 }, () => {
    let stage: Stage;
    before(async () => {
      stage = await setStage();
    });
    after(() => stage.end());

    test("two nodes, of which each request goes to the other one, are one gate to a phone", async (t) => {
      const deviceId = "SPRAYED1";
      const other = await startGate({ upstreamUrl: stage.sogo.url, beside: stage.gate });
      t.after(() => other.stop());
      const balancer = await startBalancer([stage.gate.mailUrl, other.mailUrl]);
      t.after(() => balancer.close());
      const phone = stage.phone({ owner: "alice", deviceId, protocolVersion: "14.1", url: balancer.url });
      await stage.report(deviceId, "compliant");
      await visit(phone, () => assert.deepEqual(subjects(phone), mail));
      const before = phone.inbox();
      for (let round = 0; round < 2; round += 1) {
        const [waiting] = await stage.parkedPing(phone, 130 + round);
        const blockedAt = Date.now();
        await stage.report(deviceId, "noncompliant", TIKTOK);
        assert.equal((await waiting)?.kind, "changes");
        assert.ok(Date.now() - blockedAt < PROMPT_MS, `after ${Date.now() - blockedAt} ms`);
        for (let again = 0; again < 3; again += 1) {
          succeeded(await phone.refresh());
          assert.deepEqual([fromIt(phone).length, real(phone), otherMail(phone)], [1, [], 0]);
        }
        const held = phone.ping(120);
        await eventually(async () => assert.equal(await waitingIn(stage.gate, other), 1), NEXT_VISITS_MS);
        await stage.report(deviceId, "compliant");
        assert.equal((await held).kind, "changes");
        await visit(phone, () => assert.deepEqual(phone.inbox(), before));
      }
      assert.deepEqual(phone.losses(), []);
      const [one = 0, two = 0] = balancer.counts();
      assert.ok(one > 10 && two > 10, `${one} and ${two} requests`);
      assert.ok(!(await stage.sogo.log()).includes(GATE_KEY));
    });

    suite("a phone in quarantine", () => {
      let phone: Phone;
      const deviceId = "HELD1";
      before(async () => {
        phone = stage.phone({ owner: "alice", deviceId, protocolVersion: "14.1" });
        await stage.report(deviceId, "compliant");
        await visit(phone, () => assert.deepEqual(subjects(phone), mail));
        await stage.report(deviceId, "noncompliant", TIKTOK);
        await visit(phone, () => assert.equal(phone.inbox().length, 1));
      });

      test("with a wrong password is asked for it by the mail server, and is not told why it is held", async () => {
        const guessing = stage.phone({ owner: "alice", deviceId, protocolVersion: "14.1", password: "guessed" });
        assert.deepEqual(await guessing.refresh(), { kind: "credentials" });
        assert.deepEqual([guessing.inbox(), guessing.folders()], [[], []]);
        const said = await fetch(
          `${stage.gate.mailUrl}/Microsoft-Server-ActiveSync?Cmd=Ping&User=alice&DeviceId=${deviceId}&DeviceType=x`,
          {
            method: "POST",
            headers: { authorization: `Basic ${btoa("alice:guessed")}`, "ms-asprotocolversion": "14.1" },
          },
        );
        assert.deepEqual([said.status, said.headers.get("www-authenticate")], [401, 'basic realm="SOGo"']);
        assert.doesNotMatch(await said.text(), /tiktok|Postern|Example Corporation/i);
      });

      test("keeps its notice while the mail server is away, and whoever is not known yet is told to come back", async () => {
        await stage.sogo.stopSogod();
        const notice = phone.inbox();
        await phone.refresh();
        assert.deepEqual([phone.inbox(), phone.losses()], [notice, []]);
        const colleague = stage.phone({ owner: "bob", deviceId: "HELD2", protocolVersion: "14.1" });
        await stage.report("HELD2", "noncompliant", TIKTOK);
        const refused = await colleague.refresh();
        assert.equal(refused.kind, "busy", JSON.stringify(refused));
        assert.deepEqual(colleague.inbox(), []);
      });

      test("that is released while the mail server is away loses nothing, and has its mail when the server is back", async () => {
        const sent = await phone.send({ to: people.carol.address, subject: "Written in an outage", text: "." });
        assert.notEqual(sent.kind, "ok");
        await stage.report(deviceId, "compliant");
        assert.notEqual((await phone.refresh()).kind, "ok");
        assert.deepEqual([phone.outbox().length, phone.losses()], [1, []]);
        await stage.sogo.startSogod();
        await visit(phone, () => assert.deepEqual(subjects(phone), mail));
        assert.equal(inboxFolder(phone).syncKey.startsWith(GATE_KEY), false);
        await eventually(
          async () => assert.equal(await stage.sogo.countMail("carol", "INBOX", "Written in an outage"), 1),
          NEXT_VISITS_MS,
        );
        assert.deepEqual([phone.outbox(), phone.losses()], [[], []]);
        assert.ok(!(await stage.sogo.log()).includes(GATE_KEY));
      });
    });
  });

  /**
   * SOGo does not notice that nobody waits for its answer any more: a Ping that the gate has given up keeps its worker until the
   * heartbeat is over, or until its phone pings SOGo again.
   */
  test("a phone that is blocked and released again and again leaves the mail server's workers to others", async (t) => {
    const rounds = 3;
    const stage = await setStage({ workers: rounds + 1 });
    t.after(() => stage.end());
    const deviceId = "TOANDFRO1";
    const phone = stage.phone({ owner: "alice", deviceId, protocolVersion: "14.1" });
    await stage.report(deviceId, "compliant");
    await visit(phone, () => assert.deepEqual(subjects(phone), mail));
    for (let round = 0; round < rounds; round += 1) {
      // Far longer than the test: whatever still works on one of them would be seen.
      const [waiting] = await stage.parkedPing(phone, 3000 + round);
      await stage.report(deviceId, "noncompliant", TIKTOK);
      assert.equal((await waiting)?.kind, "changes");
      await visit(phone, () => assert.equal(phone.inbox().length, 1));
      await stage.report(deviceId, "compliant");
      await visit(phone, () => assert.deepEqual(subjects(phone), mail));
    }
    const [waiting] = await stage.parkedPing(phone, 3000 + rounds);
    const colleague = stage.phone({ owner: "bob", deviceId: "COLLEAGUE1", protocolVersion: "14.1" });
    await stage.report("COLLEAGUE1", "compliant");
    await visit(colleague, () => assert.deepEqual(subjects(colleague), mail));
    await stage.report(deviceId, "noncompliant", TIKTOK);
    assert.equal((await waiting)?.kind, "changes");
  });
});

async function waitingIn(...gates: readonly Gate[]): Promise<number> {
  let sum = 0;
  for (const { adminUrl } of gates) {
    const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
    sum += Number(/^postern_waiting_requests (\d+)$/m.exec(metrics)?.[1]);
  }
  return sum;
}
