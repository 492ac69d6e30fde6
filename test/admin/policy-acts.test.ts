/** What operators do to the policy through the API, on both stores. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { anAdminSide, tiktok } from "../support/admin-api.ts";
import type { AdminSide } from "../support/admin-api.ts";
import { eventually } from "../support/eventually.ts";
import { clean, withTiktok } from "../support/gate.ts";
import { startRedis } from "../support/redis-server.ts";

const owner = "alice";
const because = { why: "the order of the board" };

const stores: Readonly<Record<string, (t: TestContext) => Promise<Store | undefined>>> = {
  "the embedded store": async () => undefined,
  Redis: async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    return openStore({ redis: { url: redis.url } });
  },
};

/** Three phones: two with the app, whose mail flows today. */
async function aFleet(
  t: TestContext,
  open: (t: TestContext) => Promise<Store | undefined>,
  now?: () => Date,
): Promise<AdminSide> {
  const store = await open(t);
  const admin = await anAdminSide(t, {
    ...(store === undefined ? {} : { store }),
    ...(now === undefined ? {} : { now }),
  });
  await admin.reports("PHONEA", { ...withTiktok, owner });
  await admin.reports("PHONEB", { ...withTiktok, owner: "bob" });
  await admin.reports("PHONEC", { ...clean, owner: "carol" });
  return admin;
}

const guarded = { ...tiktok, guard: { maxDevices: 1 } };
const watched = { ...tiktok, guard: { maxDevices: 1, secondPerson: true } };
const first = { "If-Match": '"policy-0"' };

for (const [title, open] of Object.entries(stores)) {
  suite(`the policy over the API, on ${title}`, () => {
    test("a plan is shown, and what was shown is put in force, and only that", async (t) => {
      const admin = await aFleet(t, open);
      const operator = admin.as("operator");
      const planned = await admin
        .as("viewer")
        .send("post", "/campaigns/plan", { campaigns: [tiktok] })
        .expect(200);
      assert.equal(planned.headers["etag"], '"policy-0"');
      assert.deepEqual(
        planned.body.entries.map(({ id, change }) => [id, change]),
        [["tiktok", "added"]],
      );
      const unseen = await operator.send("post", "/campaigns/apply", { campaigns: [tiktok], ...because }).expect(428);
      assert.equal(unseen.body.type, "urn:postern:problem:precondition-required");
      const applied = await operator
        .send("post", "/campaigns/apply", { campaigns: [tiktok], ...because }, first)
        .expect(200);
      assert.equal(applied.headers["etag"], '"policy-1"');
      assert.deepEqual(applied.body.modes, { tiktok: "enforce" });
      assert.equal(applied.body.who, "alice@corp.example (127.0.0.1)");
      await eventually(async () => {
        const why = await admin.as("viewer").get("/devices/PHONEA/why").expect(200);
        assert.deepEqual([why.body.verdict.action, why.body.verdict.reason], ["quarantine", "app-present"]);
      });
      const fixed = await admin.as("viewer").get("/devices/PHONEA/why?with=apps=%5B%5D").expect(200);
      assert.equal(fixed.body.verdict.action, "allow");
    });

    test("of two who act upon what they saw, one is told to look again", async (t) => {
      const admin = await aFleet(t, open);
      const [one, other] = await Promise.all(
        ["one@corp.example", "other@corp.example"].map((name) =>
          admin
            .as("operator", name)
            .send(
              "post",
              "/campaigns/apply",
              { campaigns: [{ ...tiktok, title: `as ${name} sees it` }], ...because },
              first,
            ),
        ),
      );
      const statuses = [one?.status, other?.status];
      // Two looks at the store at once are one too many for a node.
      assert.equal(statuses.filter((status) => status === 200).length, 1, String(statuses));
      assert.ok(
        statuses.every((status) => status === 200 || status === 412 || status === 503),
        String(statuses),
      );
      const { body } = await admin.as("viewer").get("/policy/history").expect(200);
      assert.equal(body.items.length, 1);
      const late = await admin.as("operator").send("post", "/campaigns/tiktok/resume", because, first).expect(409);
      assert.equal(late.body.type, "urn:postern:problem:not-changed");
      await admin.as("operator").send("post", "/campaigns/tiktok/pause", because).expect(200);
      const stale = await admin.as("operator").send("post", "/campaigns/tiktok/resume", because, first).expect(412);
      assert.equal(stale.body.current, "policy-2");
      const seen = { "If-Match": '"policy-2"' };
      await admin.as("operator").send("post", "/campaigns/tiktok/resume", because, seen).expect(200);
      // What takes back needs no look: mail flows again whatever somebody else has done.
      await admin.as("operator").send("post", "/campaigns/tiktok/retract", because).expect(200);
      await admin.as("operator").send("post", "/campaigns/tiktok/remove", because, { "If-Match": "*" }).expect(200);
      const history = await admin.as("viewer").get("/policy/history?limit=2").expect(200);
      assert.deepEqual(
        history.body.items.map(({ act }) => act),
        ["remove", "retract"],
      );
      const older = await admin.as("viewer").get(`/policy/history?limit=2&before=${history.body.next}`).expect(200);
      assert.deepEqual(
        older.body.items.map(({ act }) => act),
        ["resume", "pause"],
      );
      const diff = await admin.as("viewer").get("/policy/diff?from=1&to=2").expect(200);
      assert.ok(diff.body.entries[0]?.lines.some(({ side, text }) => side === "added" && text === "mode: paused"));
      const back = { version: 1, ...because };
      const rolled = await admin
        .as("operator")
        .send("post", "/policy/roll-back", back, { "If-Match": '"policy-5"' })
        .expect(200);
      assert.equal(rolled.body.version, 6);
    });

    test("what would cut more than the guard allows is refused with the figures, and done for the very number", async (t) => {
      const admin = await aFleet(t, open);
      const apply = (more: object) =>
        admin.as("operator").send("post", "/campaigns/apply", { campaigns: [guarded], ...because, ...more }, first);
      const refused = await apply({}).expect(409);
      assert.equal(refused.body.type, "urn:postern:problem:guard-exceeded");
      assert.deepEqual(
        [refused.body.confirm, refused.body.needsSecondPerson, refused.body.campaigns[0]?.maxDevices],
        [2, false, 1],
      );
      assert.equal(refused.body.plan[0]?.id, "tiktok");
      const wrong = await apply({ confirm: 1 }).expect(409);
      assert.equal(wrong.body.type, "urn:postern:problem:confirmation-mismatch");
      assert.equal((await admin.as("viewer").get("/campaigns")).body.version, 0);
      await apply({ confirm: 2 }).expect(200);
    });

    test("where a guard wants a second person, the yes of whoever asked is none", async (t) => {
      const admin = await aFleet(t, open);
      const apply = (name: string) =>
        admin
          .as("operator", name)
          .send("post", "/campaigns/apply", { campaigns: [watched], ...because, confirm: 2 }, first);
      const asked = await apply("alice@corp.example").expect(202);
      const { id } = asked.body.confirmation;
      assert.equal(asked.headers["location"], `/api/v1/confirmations/${id}`);
      assert.equal((await admin.as("viewer").get("/campaigns")).body.version, 0);
      const confirm = (name: string, devices: number) =>
        admin.as("operator", name).send("post", `/confirmations/${id}/confirm`, { confirm: devices });
      for (const name of ["alice@corp.example", "ALICE@corp.example"]) {
        const same = await confirm(name, 2).expect(403);
        assert.equal(same.body.type, "urn:postern:problem:same-person");
      }
      // Nobody knows who has broken the glass: it may be whoever asked.
      const glass = await admin
        .bearing(admin.breakGlassToken)
        .send("post", `/confirmations/${id}/confirm`, { confirm: 2 });
      assert.equal(glass.status, 403);
      await admin
        .as("helpdesk", "bob@corp.example")
        .send("post", `/confirmations/${id}/confirm`, { confirm: 2 })
        .expect(403);
      assert.equal((await confirm("bob@corp.example", 1).expect(409)).body.confirm, 2);
      const shown = await admin.as("viewer").get(`/confirmations/${id}`).expect(200);
      assert.deepEqual([shown.body.asker, shown.body.cut, shown.body.plan[0]?.id], ["alice@corp.example", 2, "tiktok"]);
      const done = await confirm("bob@corp.example", 2).expect(200);
      assert.equal(done.body.who, "alice@corp.example, confirmed by bob@corp.example (127.0.0.1)");
      await confirm("bob@corp.example", 2).expect(404);
      assert.deepEqual((await admin.as("viewer").get("/confirmations")).body.items, []);
    });

    test("taking the second person out of the guard does not do without one", async (t) => {
      const admin = await aFleet(t, open);
      const looking = { ...watched, mode: "shadow" };
      const apply = (campaign: object, tag: string, confirm?: number) =>
        admin
          .as("operator")
          .send("post", "/campaigns/apply", { campaigns: [campaign], ...because, confirm }, { "If-Match": tag });
      await apply(looking, '"policy-0"').expect(200);
      await apply(guarded, '"policy-1"', 2).expect(202);
    });

    test("what waits for a second person ends by itself, and with any other policy", async (t) => {
      let now = new Date();
      const admin = await aFleet(t, open, () => now);
      const ask = async (tag: string): Promise<string> => {
        const body = { campaigns: [watched], ...because, confirm: 2 };
        const asked = await admin
          .as("operator")
          .send("post", "/campaigns/apply", body, { "If-Match": tag })
          .expect(202);
        return asked.body.confirmation.id;
      };
      const bob = admin.as("operator", "bob@corp.example");
      const overtaken = await ask('"policy-0"');
      await bob.send("post", "/exemptions/break-glass", { owner: "dave", hours: 1, ...because }).expect(200);
      await bob.send("post", `/confirmations/${overtaken}/confirm`, { confirm: 2 }).expect(412);
      await bob.send("post", `/confirmations/${overtaken}/confirm`, { confirm: 2 }).expect(404);
      const withdrawn = await ask('"policy-1"');
      await bob.send("delete", `/confirmations/${withdrawn}`, because).expect(200);
      await bob.send("post", `/confirmations/${withdrawn}/confirm`, { confirm: 2 }).expect(404);
      const late = await ask('"policy-1"');
      now = new Date(now.getTime() + 3_600_001);
      const bobLater = admin.as("operator", "bob@corp.example");
      await bobLater.send("post", `/confirmations/${late}/confirm`, { confirm: 2 }).expect(404);
      assert.equal((await admin.as("viewer").get("/campaigns")).body.version, 1);
    });

    test("a write under a key is done once, however often and at however many doors it is asked for", async (t) => {
      const admin = await aFleet(t, open);
      const helpdesk = admin.as("helpdesk");
      const body = { owner, hours: 2, why: "a board meeting" };
      const ask = (key: string, sent: object = body) =>
        helpdesk.send("post", "/exemptions/break-glass", sent, { "Idempotency-Key": key });
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask("key-1")));
      assert.ok(answers.some(({ status }) => status === 200));
      for (const { status, body: said } of answers)
        assert.ok(status === 200 || said.type === "urn:postern:problem:idempotency-in-progress", String(status));
      const again = await ask("key-1").expect(200);
      assert.equal(again.headers["idempotency-replayed"], "true");
      assert.equal(again.headers["etag"], '"policy-1"');
      assert.deepEqual(again.body, answers.find(({ status }) => status === 200)?.body);
      assert.equal((await admin.as("viewer").get("/policy/history")).body.items.length, 1);
      const other = await ask("key-1", { ...body, hours: 3 }).expect(422);
      assert.equal(other.body.type, "urn:postern:problem:idempotency-mismatch");
      // The key of somebody else is another one.
      await admin
        .as("helpdesk", "bob@corp.example")
        .send("post", "/exemptions/break-glass", { ...body, hours: 3 }, { "Idempotency-Key": "key-1" })
        .expect(200);
      // What was refused has changed nothing, and is looked at anew.
      await ask("key-2", { ...body, hours: 73 }).expect(422);
      await ask("key-2").expect(200);
      assert.equal((await admin.as("viewer").get("/policy/history")).body.items.length, 3);
    });

    test("exemptions are added, listed, end, and their faults are named", async (t) => {
      const admin = await aFleet(t, open);
      const operator = admin.as("operator");
      const exemption = { id: "x1", owner: ["alice"], campaign: "all", until: "2099-01-01", why: "tests apps" };
      const faulty = await operator.send("post", "/exemptions", { ...exemption, campaign: "nowhere" }).expect(422);
      assert.match(JSON.stringify(faulty.body.errors), /exemptions\[0\]\.campaign/);
      await operator.send("post", "/exemptions", exemption).expect(200);
      const listed = await admin.as("viewer").get("/exemptions").expect(200);
      assert.deepEqual(
        listed.body.items.map(({ id, by }) => [id, by]),
        [["x1", "alice@corp.example"]],
      );
      await operator.send("post", "/exemptions/x1/end", because).expect(200);
      await operator.send("post", "/exemptions/x1/end", because).expect(404);
    });

    test("a preview runs beside requests, and is kept", async (t) => {
      const admin = await aFleet(t, open);
      const started = await admin
        .as("operator")
        .send("post", "/previews", { campaigns: [tiktok] })
        .expect(202);
      const done = await eventually(async () => {
        const job = await admin
          .as("viewer")
          .get(String(started.headers["location"]).replace("/api/v1", ""))
          .expect(200);
        assert.equal(job.body.state, "done");
        return job.body;
      });
      assert.deepEqual([done.share, done.records, done.previews[0]?.newlyCut], [1, 3, 2]);
      await admin
        .as("operator")
        .send("post", "/campaigns/apply", { campaigns: [tiktok], ...because }, first)
        .expect(200);
      const campaign = await admin.as("viewer").get("/campaigns/tiktok").expect(200);
      assert.equal(campaign.body.preview.cut, 2);
    });
  });
}

test("what stands in the configuration file is shown, and not changed", async (t) => {
  const admin = await anAdminSide(t, { yaml: `campaigns: [${JSON.stringify(tiktok)}]` });
  const { body } = await admin.as("viewer").get("/campaigns").expect(200);
  assert.deepEqual([body.source, body.items[0]?.id], ["file", "tiktok"]);
  const refused = await admin.as("operator").send("post", "/campaigns/tiktok/retract", because).expect(409);
  assert.equal(refused.body.type, "urn:postern:problem:policy-in-file");
});

test("mail is let flow again while somebody else's act still looks at the whole store", async (t) => {
  const real = await openStore({ embedded: { path: ":memory:" } });
  const gone = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  let isSlow = false;
  const store: Store = {
    ...real,
    async *sightings(since) {
      begun.resolve();
      if (isSlow) await gone.promise;
      yield* real.sightings(since);
    },
  };
  const admin = await anAdminSide(t, { store });
  const apply = (campaign: object, tag: string) =>
    admin.as("operator").send("post", "/campaigns/apply", { campaigns: [campaign], ...because }, { "If-Match": tag });
  await apply(tiktok, '"policy-0"').expect(200);
  isSlow = true;
  const slow = apply({ ...guarded, id: "other" }, '"policy-1"').then(({ status }) => status);
  await begun.promise;
  const second = await apply({ ...guarded, id: "third" }, '"policy-1"').expect(503);
  assert.equal(second.body.type, "urn:postern:problem:busy");
  await admin.as("operator").send("post", "/campaigns/tiktok/retract", because).expect(200);
  gone.resolve();
  // It had seen another policy than the one that is there now.
  assert.equal(await slow, 412);
});
