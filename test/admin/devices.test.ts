/** Devices over the API, on both stores. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { anAdminSide } from "../support/admin-api.ts";
import type { AdminSide } from "../support/admin-api.ts";
import { eventually } from "../support/eventually.ts";
import { clean, withTiktok } from "../support/gate.ts";
import { startRedis } from "../support/redis-server.ts";

const because = { why: "asked by the help desk" };

const stores: Readonly<Record<string, (t: TestContext) => Promise<Store | undefined>>> = {
  "the embedded store": async () => undefined,
  Redis: async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    return openStore({ redis: { url: redis.url } });
  },
};

async function pages(admin: AdminSide, query: string): Promise<{ readonly ids: string[]; readonly sizes: number[] }> {
  const ids: string[] = [];
  const sizes: number[] = [];
  let cursor = "";
  for (;;) {
    const { body } = await admin.as("viewer").get(`/devices?${query}${cursor}`).expect(200);
    ids.push(...body.items.map(({ id }) => id));
    sizes.push(body.items.length);
    if (body.next === undefined) return { ids, sizes };
    cursor = `&cursor=${body.next}`;
  }
}

for (const [title, open] of Object.entries(stores)) {
  suite(`devices over the API, on ${title}`, () => {
    const anAdmin = async (t: TestContext): Promise<AdminSide> => {
      const store = await open(t);
      return anAdminSide(t, store === undefined ? {} : { store });
    };

    test("are listed page by page, every one that a filter lets through", async (t) => {
      const admin = await anAdmin(t);
      const all = Array.from({ length: 230 }, (_, index) => `D${index}`);
      for (const [index, id] of all.entries())
        await admin.reports(id, { ...clean, owner: `p${index % 100}`, region: index % 2 === 0 ? "US" : "EU" });
      await admin.reports("RARE", { ...withTiktok, owner: "Zoe", groups: "board" });
      const everybody = await pages(admin, "limit=50");
      assert.deepEqual([...new Set(everybody.ids)].toSorted(), [...all, "RARE"].toSorted());
      assert.ok(everybody.sizes.length > 2 && everybody.sizes.every((size) => size < 150), String(everybody.sizes));
      const american = await pages(admin, "limit=500&region=us");
      assert.equal(new Set(american.ids).size, 115);
      for (const query of [
        "owner=zoe",
        "group=BOARD",
        "app=com.zhiliaoapp.MUSICALLY",
        "owner=zoe&platform=ios&override=none",
      ])
        assert.deepEqual([...new Set((await pages(admin, `limit=1&${query}`)).ids)], ["RARE"], query);
      assert.deepEqual((await pages(admin, "override=block")).ids, []);
    });

    test("are written where nobody wrote meanwhile", async (t) => {
      const admin = await anAdmin(t);
      await admin.reports("PHONEA", { ...clean, owner: "alice" });
      const operator = admin.as("operator");
      const read = await admin.as("viewer").get("/devices/phonea").expect(200);
      const seen = { "If-Match": String(read.headers["etag"]) };
      const patch = (set: object, headers: Record<string, string>) =>
        operator.send("patch", "/devices/PHONEA", { set, ...because }, headers);
      await patch({ region: "EU" }, {}).expect(428);
      const both = await Promise.all([patch({ region: "EU" }, seen), patch({ region: "US" }, seen)]);
      assert.deepEqual(both.map(({ status }) => String(status)).toSorted(), ["200", "412"]);
      const won = both.find(({ status }) => status === 200);
      const again = await admin.as("viewer").get("/devices/PHONEA").expect(200);
      assert.equal(again.headers["etag"], won?.headers["etag"]);
      // Somebody who writes into the store itself counts as well.
      await admin.reports("PHONEA", { region: "APAC" });
      const stale = await patch({ region: "EU" }, { "If-Match": String(again.headers["etag"]) }).expect(412);
      await patch({ region: "EU" }, { "If-Match": `"${String(stale.body.current)}"` }).expect(200);
      await operator
        .send("patch", "/devices/PHONEA", { remove: ["region"], ...because }, { "If-Match": "*" })
        .expect(200);
      assert.equal((await admin.as("viewer").get("/devices/PHONEA")).body.region, undefined);
    });

    test("are made by whoever has seen that there was none", async (t) => {
      const admin = await anAdmin(t);
      const missing = await admin.as("viewer").get("/devices/NEW1").expect(404);
      const make = () =>
        admin
          .as("operator")
          .send(
            "patch",
            "/devices/NEW1",
            { set: { owner: "dave" }, ...because },
            { "If-Match": `"${String(missing.body.current)}"` },
          );
      await make().expect(200);
      await make().expect(412);
      await admin
        .as("operator")
        .send("patch", "/devices/NEW2", { set: { owner: "dave" }, ...because }, { "If-Match": "*" })
        .expect(412);
    });

    test("are let in, kept out and forgotten, and who did it stands there", async (t) => {
      const admin = await anAdmin(t);
      await admin.reports("PHONEA", { ...withTiktok, owner: "alice" });
      const operator = admin.as("operator");
      await admin
        .as("helpdesk")
        .send("put", "/devices/PHONEA/override", { action: "allow", ...because })
        .expect(403);
      await operator.send("put", "/devices/PHONEA/override", { action: "block", ...because }).expect(200);
      const why = await admin.as("viewer").get("/devices/PHONEA/why").expect(200);
      assert.equal(why.body.verdict.action, "block");
      const { body } = await admin.as("viewer").get("/devices/PHONEA");
      assert.deepEqual([body.override.who, body.override.why], ["alice@corp.example", because.why]);
      assert.deepEqual((await pages(admin, "override=block")).ids, ["PHONEA"]);
      await operator
        .send("put", "/devices/PHONEA/override", { action: "allow", until: "2020-01-01T00:00:00Z", ...because })
        .expect(409);
      await operator.send("delete", "/devices/PHONEA/override", because).expect(200);
      await operator.send("delete", "/devices/PHONEA/override", because).expect(404);
      await operator
        .send("delete", "/devices/PHONEA", because, { "If-Match": '"record-0000000000000000"' })
        .expect(412);
      await operator.send("delete", "/devices/PHONEA", because).expect(200);
      await admin.as("viewer").get("/devices/PHONEA").expect(404);
    });

    test("a field that could not be read back is refused, with its name", async (t) => {
      const admin = await anAdmin(t);
      await admin.reports("PHONEA", clean);
      const patch = (body: object) =>
        admin.as("operator").send("patch", "/devices/PHONEA", { ...because, ...body }, { "If-Match": "*" });
      for (const set of [{ platform: "toaster" }, { Owner: "a" }, { deviceAt: "yesterday" }, { override: "{}" }]) {
        const { body } = await patch({ set }).expect(422);
        assert.equal(body.type, "urn:postern:problem:invalid-request");
        assert.equal(body.errors[0]?.in, "body", JSON.stringify(body));
      }
      await patch({ set: { owner: "a" }, remove: ["owner"] }).expect(422);
      await patch({}).expect(409);
      await patch({ set: { owner: "a" }, why: " " }).expect(422);
      await patch({ set: { owner: "a" }, why: "x".repeat(1_001) }).expect(422);
      await patch({ set: { owner: "a" }, why: "x".repeat(1_000) }).expect(200);
    });
  });
}

test("what a phone asked last is shown", async (t) => {
  const admin = await anAdminSide(t);
  await admin.reports("PHONEA", { ...clean, owner: "alice" });
  await admin.phone().refresh();
  await eventually(async () => {
    const { body } = await admin.as("viewer").get("/devices/PHONEA/last-requests").expect(200);
    assert.deepEqual([body.items[0]?.id, body.items[0]?.action], ["PHONEA", "allow"]);
  });
});

test("the help desk has a phone looked at anew, and not again at once", async (t) => {
  const admin = await anAdminSide(t);
  await admin.reports("PHONEA", { ...clean, owner: "alice" });
  const helpdesk = admin.as("helpdesk");
  await admin.as("viewer").get("/devices/PHONEA/recheck").expect(404);
  await admin.as("viewer").send("post", "/devices/PHONEA/recheck", because).expect(403);
  const asked = await helpdesk.send("post", "/devices/phonea/recheck", because).expect(202);
  assert.deepEqual([asked.body.device, asked.body.number, asked.body.by], ["PHONEA", 1, "alice@corp.example"]);
  const again = await helpdesk.send("post", "/devices/PHONEA/recheck", because).expect(202);
  assert.equal(again.body.number, 1);
  await admin.as("viewer").get("/devices/PHONEA/recheck").expect(200);
  assert.deepEqual((await admin.as("viewer").get("/connectors").expect(200)).body, { items: [] });
});
