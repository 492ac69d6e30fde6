/** Whoever comes by a link, makes one up, or comes to the pages without one: at the level of HTTP, on a real gate. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { createRechecks } from "../../src/inventory/rechecks.ts";
import { escapeHtml } from "../../src/notice/html.ts";
import { datumOf } from "../../src/notice/phrase.ts";
import { eventually } from "../support/eventually.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import type { Gate, GateOptions } from "../support/gate.ts";
import { ask, exchangeBytes } from "../support/http.ts";
import { deviceId } from "../support/records.ts";
import { follow, linkOn, withPages } from "../support/self-service.ts";

interface Opened {
  readonly gate: Gate;
  /** The page of alice's phone, which is held. */
  readonly url: string;
}

async function aPage(t: TestContext, options: GateOptions = {}): Promise<Opened> {
  const gate = await aGate(t, { config: withPages, ...options });
  await gate.reports("PHONEA", { ...withTiktok, owner: "alice" });
  const phone = gate.phone();
  await phone.refresh();
  return { gate, url: gate.url + (await linkOn(phone)) };
}

const askedFor = async ({ gate }: Opened, id = "PHONEA"): Promise<boolean> =>
  (await createRechecks(gate.store).read(deviceId(id))) !== undefined;

suite("a page", () => {
  test("is kept by nobody, framed by nobody, and runs and loads nothing but its own", async (t) => {
    const { gate, url } = await aPage(t);
    const { headers, body } = await ask(url);
    const policy = String(headers["content-security-policy"]);
    const host = new URL(gate.url).host;
    assert.match(policy, /^default-src 'none'; style-src 'sha256-[\w+/=]+'; script-src /);
    assert.ok(
      policy.endsWith(
        `script-src https://mail.corp.example/postern/page.js ${host}/postern/page.js; connect-src 'self'; ` +
          "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      ),
      policy,
    );
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["referrer-policy"], "no-referrer");
    assert.equal(headers["x-frame-options"], "DENY");
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["set-cookie"], undefined);
    const html = body.toString();
    assert.doesNotMatch(html, /<img|<link|<iframe|style=|\son[a-z]+=|url\(|javascript:/i);
    assert.deepEqual(html.match(/<script[^>]*>[^<]*/g), ['<script src="/postern/page.js" defer>']);
  });

  test("its script is a file without a secret in it", async (t) => {
    const { gate } = await aPage(t);
    const { status, headers, body } = await ask(`${gate.url}/postern/page.js`);
    assert.equal(status, 200);
    assert.equal(headers["content-type"], "text/javascript; charset=utf-8");
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.doesNotMatch(body.toString(), /innerHTML|eval|document\.write/);
  });

  test("nothing of it goes to the mail server, however its path is spelled", async (t) => {
    const { gate, url } = await aPage(t);
    const before = gate.upstream.journal().length;
    const link = new URL(url).pathname;
    const rows: readonly (readonly [target: string, status: number])[] = [
      [link, 200],
      [`${link}/`, 200],
      [link.replace("/postern/", "/POSTERN/"), 200],
      [link.replace("/postern/", "/postern//"), 200],
      [`${link}?utm_source=x&fbclid=y`, 200],
      ["/postern", 404],
      ["/postern/", 404],
      ["/postern/page.css", 404],
      ["/postern/page.js/x", 404],
      [`${link}/other`, 404],
      [`${link}/check/more`, 404],
      ["/posternal", 404],
      [`/mail/../postern/x`, 400],
      ["/postern/../Microsoft-Server-ActiveSync", 400],
      ["/postern/%2e%2e/mail", 400],
      ["/postern%2fx", 400],
      ["/postern;x/y", 400],
      ["/postern/..%5cmail", 400],
      ["//postern/x", 400],
    ];
    for (const [target, status] of rows) {
      const said = await exchangeBytes(
        gate.app.mail.port,
        `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      );
      assert.match(said, new RegExp(`^HTTP/1.1 ${status} `), target);
    }
    for (const method of ["PUT", "DELETE", "PROPFIND", "OPTIONS", "PATCH"])
      assert.equal((await ask(url, { method })).status, 405, method);
    const upgraded = await exchangeBytes(
      gate.app.mail.port,
      `GET ${link} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    assert.match(upgraded, /^HTTP\/1.1 404 /);
    assert.equal(gate.upstream.journal().length, before);
  });

  test("says no more to HEAD than its head", async (t) => {
    const { url } = await aPage(t);
    const { status, headers, body } = await ask(url, { method: "HEAD" });
    assert.equal(status, 200);
    assert.ok(Number(headers["content-length"]) > 1000);
    assert.equal(body.byteLength, 0);
  });
});

suite("a link shows its own phone, and to nobody else's person", () => {
  test("one that was made up, or cut off, is told nothing", async (t) => {
    const { url } = await aPage(t);
    for (const made of [url.slice(0, -1), `${url}A`, url.replace(/\.[^.]*$/, ".AAAA"), `${url.slice(0, -4)}%2e%2e`]) {
      const { status, body } = await ask(made);
      assert.ok(status === 404 || status === 400, made);
      assert.doesNotMatch(body.toString(), /TikTok|PHONEA|alice|iPhone/);
      assert.notEqual((await ask(`${made}/check`, { method: "POST" })).status, 303);
    }
  });

  test("one whose phone belongs to somebody else now shows nothing of it, and asks for nothing", async (t) => {
    const opened = await aPage(t);
    const { gate, url } = opened;
    await gate.reports("PHONEA", { ...withTiktok, owner: "bob", email: "bob@corp.example", model: "iPhone 17 of Bob" });
    await createRechecks(gate.store).ask(deviceId("PHONEA"), "page", new Date());
    const { status, body } = await ask(url);
    assert.equal(status, 200);
    assert.match(body.toString(), /registered to someone else/);
    assert.doesNotMatch(body.toString(), /TikTok|bob|iPhone|<form|Checking/i);
    await createRechecks(gate.store).advance(deviceId("PHONEA"), 1, { end: "busy", at: new Date(0) });
    const check = await ask(`${url}/check`, { method: "POST" });
    assert.equal(check.status, 303);
    assert.equal((await createRechecks(gate.store).read(deviceId("PHONEA")))?.number, 1);
  });

  test("a phone that an operator has blocked is not asked about: no report would change it", async (t) => {
    const opened = await aPage(t);
    await opened.gate.reports("PHONEA", { ...clean, owner: "alice", override: '{"action":"block","why":"lost"}' });
    const { body } = await ask(opened.url);
    assert.doesNotMatch(body.toString(), /<form/);
    await ask(`${opened.url}/check`, { method: "POST" });
    assert.equal(await askedFor(opened), false);
  });
});

suite("a check is asked for from the page itself", () => {
  const post = (url: string, headers: http.OutgoingHttpHeaders): Promise<number> =>
    ask(`${url}/check`, { method: "POST", headers }).then(({ status }) => status);

  test("not by a form or a script of another site", async (t) => {
    const opened = await aPage(t);
    const { url } = opened;
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "https://mail.corp.example.evil.example" },
      { origin: "file://" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site", origin: "null" },
      { "sec-fetch-site": "cross-site", origin: new URL(url).origin },
    ]) {
      assert.equal(await post(url, headers), 403, JSON.stringify(headers));
    }
    assert.equal(await askedFor(opened), false);
  });

  test("by no link and no picture: it takes a POST", async (t) => {
    const opened = await aPage(t);
    assert.equal((await ask(`${opened.url}/check`)).status, 405);
    assert.equal((await ask(opened.url, { method: "POST" })).status, 405);
    assert.equal((await ask(`${opened.url}/events`, { method: "POST" })).status, 405);
    assert.equal((await ask(`${opened.url}/events`, { method: "HEAD" })).status, 405);
    assert.equal(await askedFor(opened), false);
  });

  test("as browsers send it from there", async (t) => {
    const opened = await aPage(t);
    const { url } = opened;
    for (const headers of [
      {},
      // A page without a Referer has no origin to name.
      { origin: "null", "sec-fetch-site": "same-origin" },
      { origin: new URL(url).origin, "sec-fetch-site": "same-origin" },
      { origin: "null" },
    ]) {
      assert.equal(await post(url, headers), 303, JSON.stringify(headers));
    }
    assert.equal(await askedFor(opened), true);
  });

  test("with a body of 1 KiB at most", async (t) => {
    const { url } = await aPage(t);
    const send = async (bytes: number): Promise<number> =>
      (await ask(`${url}/check`, { method: "POST", body: "x".repeat(bytes) })).status;
    assert.equal(await send(1024), 303);
    assert.equal(await send(1025), 413);
  });

  test("what follows it has nothing of the client's words in it", async (t) => {
    const { url } = await aPage(t);
    for (const query of ["lang=de%0d%0aSet-Cookie:x", "lang=//evil.example", "lang=xx", "x=%0aLocation:y"]) {
      const { headers } = await ask(`${url}/check?${query}`, { method: "POST" });
      assert.equal(headers.location, new URL(url).pathname);
      assert.equal(headers["set-cookie"], undefined);
    }
  });
});

suite("names are names on the page too", () => {
  const attacks = [
    "<script>alert(1)</script>",
    "</bdi></b></li></ul></style></title><img src=x onerror=alert(1)>",
    `" onmouseover="alert(1)`,
    `' autofocus onfocus='alert(1)`,
    "TikTok\r\nSet-Cookie: a=b\r\n\r\n<b>",
    "\u202eKoTkiT\u202c",
    "https://evil.example/login",
    "${1+1} {{7*7}} $&",
  ];
  for (const name of attacks) {
    test(JSON.stringify(name), async (t) => {
      // What an operator writes is refused long before; what a phone and its source say is not.
      const gate = await aGate(t, { config: withPages });
      await gate.reports("PHONEA", {
        ...clean,
        owner: "alice",
        model: name,
        osVersion: name,
        timezone: name,
        locale: name,
        source: name,
        apps: JSON.stringify([{ id: "com.zhiliaoapp.musically", name, version: name }]),
        compliance: "noncompliant",
        reasons: JSON.stringify([name, `${name}2`]),
      });
      const phone = gate.phone();
      await phone.refresh();
      const url = gate.url + (await linkOn(phone));
      await createRechecks(gate.store).ask(deviceId("PHONEA"), "page", new Date());
      for (const lang of ["en", "ja"]) {
        const { status, headers, body } = await ask(`${url}?lang=${lang}`);
        assert.equal(status, 200);
        assert.equal(headers["set-cookie"], undefined);
        const html = body.toString().replace(/<style>[^<]*<\/style>/, "");
        assert.ok(html.includes(escapeHtml((datumOf(name)?.datum ?? "").slice(0, 5))), "it stands there");
        assert.doesNotMatch(html, /<img|<script>|[\u202a-\u202e\u2066-\u2069]|href="https:\/\/evil/);
        for (const [, attributes = ""] of html.matchAll(/<[a-z0-9]+((?:\s+[a-z-]+(?:="[^"<>]*")?)*)\s*>/g))
          assert.doesNotMatch(attributes, /\son[a-z]+\b/);
        assert.doesNotMatch(html.replaceAll(/<!?\/?[a-z0-9]+(?:\s+[A-Za-z-]+(?:="[^"<>]*")?)*\s*\/?>/g, ""), /[<>]/);
      }
    });
  }
});

suite("whoever asks all the time", () => {
  test("is told to wait, phone by phone", async (t) => {
    const { gate, url } = await aPage(t);
    const started = performance.now();
    let shown = 0;
    let limited = await ask(url);
    for (; limited.status === 200 && shown < 200; limited = await ask(url)) shown += 1;
    const seconds = Math.ceil((performance.now() - started) / 1000);
    assert.ok(shown >= 60 && shown <= 60 + seconds, `${shown} in ${seconds} s`);
    assert.equal(limited.status, 429);
    assert.equal(limited.headers["retry-after"], "1");
    assert.match(limited.body.toString(), /That was a little fast/);
    await gate.reports("PHONEB", withTiktok);
    const other = gate.phone({ deviceId: "PHONEB" });
    await other.refresh();
    assert.equal((await ask(gate.url + (await linkOn(other)))).status, 200, "another phone of that network");
  });

  test("and network by network, before anything is looked up", async (t) => {
    const { gate, url } = await aPage(t);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    t.after(() => agent.destroy());
    const started = performance.now();
    let letIn = 0;
    for (let round = 0; round < 30; round += 1) {
      const all = await Promise.all(
        Array.from({ length: 100 }, () => ask(`${gate.url}/postern/made-up`, { agent }).then(({ status }) => status)),
      );
      letIn += all.filter((status) => status === 404).length;
      assert.ok(all.every((status) => status === 404 || status === 429));
    }
    const seconds = Math.ceil((performance.now() - started) / 1000);
    assert.ok(letIn >= 1999 && letIn <= 2000 + 50 * seconds, `${letIn} in ${seconds} s`);
    assert.equal((await ask(url, { agent })).status, 429);
  });

  test("has four streams of one phone, and not a fifth", async (t) => {
    const { gate, url } = await aPage(t);
    const four = await Promise.all(Array.from({ length: 4 }, () => follow(t, url)));
    for (const each of four) await each.until("to-do");
    const fifth = await ask(`${url}/events`);
    assert.equal(fifth.status, 429);
    assert.equal(fifth.headers["retry-after"], "30");
    four[0]?.close();
    await eventually(async () => {
      const metrics = await (await fetch(`${gate.app.admin.url}/metrics`)).text();
      assert.match(metrics, /^postern_self_service_streams 3$/m);
    });
    const again = await follow(t, url);
    assert.equal(again.status, 200);
    await again.until("to-do");
  });
});

test("open pages have a quarter of the connections of their network, and the phones the rest", async (t) => {
  const limits = "mail: { limits: { maxConnectionsPerAddress: 24 }, publicUrl";
  const { gate, url } = await aPage(t, { config: withPages.replace("mail: { publicUrl", limits) });
  await gate.reports("PHONEB", withTiktok);
  const other = gate.phone({ deviceId: "PHONEB" });
  await other.refresh();
  const otherUrl = gate.url + (await linkOn(other));
  const pages = await Promise.all([url, url, url, url, otherUrl, otherUrl].map((each) => follow(t, each)));
  for (const page of pages) await page.until("to-do");
  const seventh = await ask(`${otherUrl}/events`);
  assert.equal(seventh.status, 429);
  await gate.reports("PHONEA", { ...clean, owner: "alice" });
  const phone = gate.phone();
  await phone.refresh();
  assert.equal(phone.inbox().length, 3);
});

test("no token, no phone and no person stands in the log, whatever is asked", async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-log-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const logFile = path.join(folder, "log");
  const { gate, url } = await aPage(t, { logFile });
  const token = new URL(url).pathname.split("/").at(-1) ?? "";
  await ask(url);
  await ask(`${url}/check`, { method: "POST" });
  await ask(`${url}/check`, { method: "POST" });
  await ask(`${url}/check`, { method: "POST", headers: { origin: "https://evil.example" } });
  await ask(`${url}/other`);
  await ask(`${url}x`);
  await ask(`${url}?lang=de&secretvalue=1`, { method: "PUT" });
  const page = await follow(t, url);
  await page.until("ended");
  page.close();
  const metrics = await (await fetch(`${gate.app.admin.url}/metrics`)).text();
  await setTimeout(100);
  const text = readFileSync(logFile, "utf8") + metrics;
  assert.match(text, /"check asked for"/);
  for (const part of token.split(".")) assert.equal(text.includes(part), false);
  assert.doesNotMatch(text, /PHONEA|alice|secretvalue|evil\.example/i);
});
