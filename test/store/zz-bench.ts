import { openStore } from "../../src/store/open.ts";
import { startRedis } from "../support/redis-server.ts";
import { deviceId } from "../support/records.ts";
import { parseRecord } from "../../src/store/record.ts";
const server = await startRedis();
const N = 20000,
  APPS = Number(process.env.APPS ?? 100);
const catalogue = Array.from({ length: 3000 }, (_, i) => ({
  id: `com.vendor${i % 500}.application${i}`,
  name: `Application ${i}`,
  version: `${i % 20}.${i % 7}.1`,
}));
const pick = (seed) => {
  const r = [];
  let x = seed * 7919 + 13;
  for (let i = 0; i < APPS; i++) {
    x = (x * 1103515245 + 12345) & 0x7fffffff;
    r.push(catalogue[Math.floor((x / 0x7fffffff) ** 3 * 2999)]);
  }
  return r;
};
const hash = (i) =>
  new Map(
    Object.entries({
      owner: `user${i}@corp.example`,
      email: `user${i}@corp.example`,
      groups: '["Sales","Staff"]',
      region: "EU",
      timezone: "Europe/Berlin",
      locale: "de-DE",
      platform: "ios",
      osVersion: "18.1.1",
      model: "iPhone 15 Pro",
      ownership: "corporate",
      appsScope: "all",
      apps: JSON.stringify(pick(i)),
      appsAt: "2026-11-20T12:00:00Z",
      deviceAt: "2026-11-20T12:00:00Z",
      source: "intune",
      sourceDeviceId: `5f0c1b8e-0000-0000-0000-${i}`,
      compliance: "compliant",
    }),
  );
for (const which of ["redis", "embedded"]) {
  const store = await openStore(
    which === "redis" ? { redis: { url: server.url } } : { embedded: { path: "/tmp/bench/p" + process.pid + ".db" } },
  );
  for (let i = 0; i < N; i += 200)
    await Promise.all(
      Array.from({ length: 200 }, (_, j) =>
        store.writeFields(deviceId(`DEV${i + j}`), { set: hash(i + j), remove: [] }),
      ),
    );
  await new Promise((r) => setTimeout(r, 1500));
  const ids = Array.from({ length: N }, (_, i) => deviceId(`DEV${i}`));
  // misses sequential
  await store.facts([ids[0]], "u0");
  globalThis.gc();
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  let t = performance.now();
  for (let i = 0; i < N; i++) await store.facts([ids[i]], `user${i}`);
  let dt = performance.now() - t;
  globalThis.gc();
  globalThis.gc();
  const after = process.memoryUsage().heapUsed;
  console.log(
    which,
    "miss sequential µs",
    ((dt / N) * 1000).toFixed(1),
    "bytes/device",
    ((after - before) / N).toFixed(0),
    store.cacheSizes(),
    store.health().state,
  );
  const accounts = ids.map((_, i) => `user${i}`);
  const cands = ids.map((id) => [id]);
  for (let r = 0; r < 3; r++) {
    t = performance.now();
    for (let k = 0; k < 50; k++) for (let i = 0; i < N; i++) await store.facts(cands[i], accounts[i]);
    dt = performance.now() - t;
    console.log(which, "hit ns (awaited)", ((dt / N / 50) * 1e6).toFixed(0));
  }
  {
    const c2 = ids.map((id, i) => [deviceId("H" + i), id]);
    for (let i = 0; i < N; i++) await store.facts(c2[i], accounts[i]);
    t = performance.now();
    for (let k = 0; k < 20; k++) for (let i = 0; i < N; i++) await store.facts(c2[i], accounts[i]);
    dt = performance.now() - t;
    console.log(which, "hit two candidates ns", ((dt / N / 20) * 1e6).toFixed(0));
  }
  // concurrent misses
  const before2 = process.memoryUsage().heapUsed;
  t = performance.now();
  for (let i = 0; i < N; i += 100)
    await Promise.all(Array.from({ length: 100 }, (_, j) => store.facts([deviceId(`U${i + j}`)], "x")));
  dt = performance.now() - t;
  console.log(which, "unknown id misses x100 µs each", ((dt / N) * 1000).toFixed(1));
  globalThis.gc();
  globalThis.gc();
  console.log(which, "growth by 20000 unknown ids kB", ((process.memoryUsage().heapUsed - before2) / 1024).toFixed(0));
  t = performance.now();
  let n = 0;
  for await (const r of store.records()) n++;
  dt = performance.now() - t;
  console.log(which, "records/s", ((n / dt) * 1000).toFixed(0), n);
  t = performance.now();
  n = 0;
  for await (const r of store.list()) n++;
  dt = performance.now() - t;
  console.log(which, "list/s", ((n / dt) * 1000).toFixed(0), n);
  t = performance.now();
  for (let i = 0; i < 2000; i++) await store.updateMailbox({ device: ids[i], account: "a" }, { issue: ["5"] });
  dt = performance.now() - t;
  console.log(which, "updateMailbox µs", ((dt / 2000) * 1000).toFixed(0));
  await store.close();
}
const h = hash(5),
  now = new Date("2026-11-21");
const id = deviceId("A");
for (let r = 0; r < 3; r++) {
  const t = performance.now();
  for (let i = 0; i < 5000; i++) parseRecord(id, h, now);
  console.log("parse µs", (((performance.now() - t) / 5000) * 1000).toFixed(1));
}
h.set("timezone", "Asia/Kolkata");
{
  const t = performance.now();
  for (let i = 0; i < 5000; i++) parseRecord(id, h, now);
  console.log("parse with other zone name µs", (((performance.now() - t) / 5000) * 1000).toFixed(1));
}
await server.stop();
