/** The verdict changes while upstream holds a request: what goes on all the same, and what is kept for later. */
import assert from "node:assert/strict";
import http from "node:http";
import type { ServerResponse } from "node:http";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { element } from "../../src/activesync/document.ts";
import { encode } from "../../src/activesync/wbxml.ts";
import { optional } from "../support/activesync-documents.ts";
import { eventually } from "../support/eventually.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { aServer } from "../support/http.ts";
import type { TestServer } from "../support/http.ts";
import { holding, lateMail, promiseMs } from "./holding.ts";
import { aSwitchedStore, basic, post, target } from "./wire.ts";

suite("what a new verdict does not take away goes on", () => {
  const download = encode(element("ItemOperations:ItemOperations", optional("ItemOperations:Status", "1")));
  test("a download of a phone that stays clean", async (t) => {
    const { gate, held, whenHeld } = await holding(t);
    const answered = post(gate, "ItemOperations", download);
    await whenHeld();
    await gate.reports("PHONEA", { ...clean, apps: '["com.apple.mobilesafari","com.apple.news"]' });
    // Longer than the time in which what is taken away may still be finished.
    await setTimeout(promiseMs);
    held().end(lateMail);
    assert.equal((await answered).body.toString(), lateMail);
  });
  test("what upstream has nearly done", async (t) => {
    const { gate, held, whenHeld } = await holding(t);
    const answered = post(gate, "ItemOperations", download);
    await whenHeld();
    await gate.reports("PHONEA", withTiktok);
    held().end("nearly done");
    assert.equal((await answered).body.toString(), "nearly done");
  });
  test("a download of a phone whose verdict was taken back at once", async (t) => {
    const { gate, held, whenHeld } = await holding(t);
    const answered = post(gate, "ItemOperations", download);
    await whenHeld();
    await gate.reports("PHONEA", withTiktok);
    await gate.reports("PHONEA", clean);
    await setTimeout(promiseMs);
    held().end(lateMail);
    assert.equal((await answered).body.toString(), lateMail);
  });
  test("a download of another phone", async (t) => {
    const { gate, held, whenHeld } = await holding(t);
    const answered = post(gate, "ItemOperations", download);
    await whenHeld();
    await gate.reports("PHONEB", withTiktok);
    await setTimeout(promiseMs);
    held().end(lateMail);
    assert.equal((await answered).body.toString(), lateMail);
  });
  test("a download of a phone about which nothing can be known any more", async (t) => {
    const { store, goAway } = await aSwitchedStore();
    let held: ServerResponse | undefined;
    const upstream = await aServer(t, (req, res) => {
      req.resume();
      held = res;
    });
    const gate = await aGate(t, { upstream: upstream.url, store });
    await gate.reports("PHONEA", clean);
    const answered = post(gate, "ItemOperations", download);
    await eventually(() => assert.ok(held !== undefined));
    goAway();
    // Only a change makes the gate ask, and it gets no answer.
    await gate.reports("PHONEA", withTiktok);
    await setTimeout(promiseMs);
    held?.end(lateMail);
    assert.equal((await answered).body.toString(), lateMail);
  });
});

suite("a mail that is being sent when the verdict changes", () => {
  const mail = Buffer.alloc(2 * 1_048_576, "a mail of many lines\r\n");
  const half = mail.byteLength / 2;
  async function sending(t: TestContext): Promise<{
    readonly gate: Gate;
    readonly upstream: TestServer;
    readonly request: http.ClientRequest;
    /** The HTTP status. */
    readonly answered: Promise<number | undefined>;
    readonly received: () => number;
    readonly ended: () => "whole" | "broken" | undefined;
  }> {
    let ended: "whole" | "broken" | undefined;
    let received = 0;
    const upstream = await aServer(t, (req, res) => {
      req.on("data", (chunk: Buffer) => {
        received += chunk.byteLength;
      });
      req.on("end", () => {
        ended = "whole";
        res.end();
      });
      req.on("error", () => {
        ended = "broken";
      });
      if (req.method === "OPTIONS") res.end();
    });
    const gate = await aGate(t, { upstream: upstream.url });
    await gate.reports("PHONEA", clean);
    const request = http.request(gate.url + target("SendMail"), {
      method: "POST",
      headers: {
        Authorization: basic(),
        "MS-ASProtocolVersion": "12.1",
        "Content-Type": "message/rfc822",
        "Content-Length": mail.byteLength,
      },
    });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      request.on("error", reject);
      request.on("response", (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
    });
    return { gate, request, answered, upstream, received: () => received, ended: () => ended };
  }
  test("stays in the phone's outbox: upstream gets no end of it, and the phone is told to come again", async (t) => {
    const { gate, request, answered, received, ended } = await sending(t);
    request.write(mail.subarray(0, half));
    await eventually(() => assert.equal(received(), half));
    await gate.reports("PHONEA", withTiktok);
    await eventually(() => assert.equal(ended(), "broken"));
    request.end(mail.subarray(half));
    assert.equal(await answered, 503);
    assert.equal(received(), half);
  });
  test("never begins upstream where too little of it had come", async (t) => {
    const { gate, request, answered, upstream } = await sending(t);
    request.write(mail.subarray(0, 100));
    await eventually(async () => {
      const metrics = await (await fetch(`${gate.app.admin.url}/metrics`)).text();
      assert.match(metrics, /^postern_decision_duration_seconds_count 1$/m);
    });
    await gate.reports("PHONEA", withTiktok);
    request.end(mail.subarray(100));
    assert.equal(await answered, 503);
    assert.deepEqual(upstream.seen, []);
  });
});
