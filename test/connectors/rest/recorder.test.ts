/** Recordings for bug reports: the shape of everything, and nobody's name. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import * as fc from "fast-check";
import * as z from "zod";
import { freeAdmission } from "../../../src/connectors/rest/admission.ts";
import { basic } from "../../../src/connectors/rest/authentication.ts";
import { at } from "../../../src/connectors/rest/path.ts";
import { openRest } from "../../../src/connectors/rest/rest.ts";
import { createScrub } from "../../../src/connectors/rest/scrub.ts";
import { startFakeSource } from "../../support/fake-source.ts";

const secret = new Uint8Array(32).fill(7);

function aFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-recording-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function recorded(
  t: TestContext,
  folder: string,
  onFailure: (cause: unknown) => void = assert.ifError,
): Promise<string[]> {
  const server = await startFakeSource(() => ({
    headers: { "set-cookie": "session=abcdef" },
    body: {
      access_token: "tok-1234567",
      devices: [
        {
          id: 4711,
          serialNumber: "F2LXK93ABCD",
          owner: { email: "Alice.Smith@corp.example" },
          osVersion: "26.1",
          complianceState: "noncompliant",
          lastSyncDateTime: "2026-11-28T11:00:00Z",
          isSupervised: true,
          apps: [{ identifier: "com.zhiliaoapp.musically", name: "TikTok of Alice" }],
          status: "alice@corp.example",
        },
      ],
    },
  }));
  const rest = openRest(
    { baseUrl: new URL(server.url), ca: undefined, timeoutMs: 2000, concurrent: 1, recordTo: folder },
    () => basic("postern", "the-password"),
    { now: () => new Date(), admission: freeAdmission, onRecordingFailure: onFailure },
  );
  t.after(async () => {
    rest.close();
    await server.close();
  });
  const { signal } = new AbortController();
  await rest.json(
    {
      path: at`/devices/${4711}/owner`,
      query: [
        ["user", "alice.smith@corp.example"],
        ["page", 2],
      ],
    },
    z.unknown(),
    signal,
  );
  await rest.json({ path: { link: "/devices/4711/Alice" } }, z.unknown(), signal);
  await rest.json(
    { method: "POST", path: at`/devices`, body: { form: { client_secret: "geheim", user: "alice" } } },
    z.unknown(),
    signal,
  );
  return readdirSync(folder)
    .toSorted()
    .map((name) => readFileSync(path.join(folder, name), "utf8"));
}

suite("a recording", () => {
  test("has what a bug is made of, and nobody's name, id, address or password", async (t) => {
    const folder = aFolder(t);
    const files = await recorded(t, folder);
    assert.equal(files.length, 3);
    const all = files.join("\n");
    for (const word of [
      "alice",
      "smith",
      "corp.example",
      "4711",
      "F2LXK93ABCD",
      "tok-1234567",
      "geheim",
      "password",
      "TikTok",
      "session",
      "Basic",
    ]) {
      assert.ok(!all.toLowerCase().includes(word.toLowerCase()), word);
    }
    for (const word of [
      "com.zhiliaoapp.musically",
      "26.1",
      "noncompliant",
      "2026-11-28T11:00:00Z",
      '"isSupervised": true',
      "serialNumber",
    ]) {
      assert.ok(all.includes(word), word);
    }
    for (const name of readdirSync(folder)) assert.equal(statSync(path.join(folder, name)).mode & 0o777, 0o600);
  });

  test("has the same other word for the same word, in a path as in an answer", async (t) => {
    const [first = "", second = ""] = await recorded(t, aFolder(t));
    const id = /"id": (\d+)/.exec(first)?.[1];
    assert.ok(id !== undefined && first.includes(`"path": "/devices/${id}/owner"`), first);
    assert.ok(second.includes(`"path": "/devices/${id}/`), second);
    const [owner] = /\b\S+@\S+(?=")/.exec(first) ?? [];
    assert.match(first.toLowerCase(), new RegExp(`"user",\\s+"${owner?.toLowerCase()}"`));
  });

  test("that cannot be written is no harm to the sync, and said once", async (t) => {
    const causes: unknown[] = [];
    await recorded(t, path.join(import.meta.filename, "no-folder"), (cause) => causes.push(cause)).catch(
      () => undefined,
    );
    assert.equal(causes.length, 1);
  });
});

suite("what is scrubbed", () => {
  test("keeps its length and its punctuation, and is no more what it was", () => {
    const { word } = createScrub(secret);
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{8,20}\.[A-Z]{8}@[0-9]{8}-x$/), (text) => {
        const other = word(text);
        assert.equal(other.length, text.length);
        assert.equal(other.replaceAll(/[a-z]/gi, "").replaceAll(/\d/g, ""), ".@-");
        assert.notEqual(other, text);
        assert.equal(word(text), other);
      }),
    );
  });

  test("is the same as a number and as a text, whatever it becomes", () => {
    const { word, body } = createScrub(secret);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999_999 }), (id) => {
        assert.deepEqual(body(JSON.stringify({ id })), { id: Number(word(String(id))) });
        assert.equal(String(Number(word(String(id)))), word(String(id)));
      }),
    );
  });

  test("of a property list are the values, not the words of the protocol", () => {
    const { body } = createScrub(secret);
    const text = String(
      body(`<?xml version="1.0"?><!-- for alice --><plist version="1.0"><dict><key>UDID</key><string>00008030-AB12</string>
        <key>OSVersion</key><string>26.1</string><key>IsSupervised</key><true/></dict></plist>`),
    );
    assert.ok(!text.includes("00008030") && !text.includes("alice"));
    assert.match(text, /<key>OSVersion<\/key><string>26\.1<\/string><key>IsSupervised<\/key><true\/>/);
  });

  test("is everything that is in no form that is known", () => {
    const { body } = createScrub(secret);
    assert.ok(!String(body("alice has 3 phones")).includes("alice"));
    assert.equal(body(""), undefined);
  });
});
