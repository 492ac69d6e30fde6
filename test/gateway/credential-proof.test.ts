/** Whether a password is good is what the mail server says of it, and only where a made-up one would be told something else. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createActiveSync } from "../../src/activesync/activesync.ts";
import { element } from "../../src/activesync/document.ts";
import { decode, encode } from "../../src/activesync/wbxml.ts";
import { createAnswerHeaders } from "../../src/gateway/answer-headers.ts";
import { createCredentialProof } from "../../src/gateway/credential-proof.ts";
import { parseCredential } from "../../src/gateway/credential.ts";
import type { MailRequest } from "../../src/gateway/protocol.ts";
import { createUpstream } from "../../src/gateway/upstream.ts";
import { basic } from "../hostile/wire.ts";
import { aServer } from "../support/http.ts";
import type { Seen } from "../support/http.ts";
import { aMailRequest } from "../support/mail-request.ts";

const good = basic("alice", "good");
const wrong = basic("alice", "guessed");
const path = "/Microsoft-Server-ActiveSync";

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
}

/** The HTTP status that a server gives to a request with this credential. */
type Server = (asked: Asked) => number;

interface Proving {
  /** The HTTP status of the refusal; "accepted" where there is none. */
  readonly prove: (authorization: string | undefined, parts?: Partial<MailRequest>) => Promise<number | "accepted">;
  readonly seen: readonly (Seen & { readonly body: Buffer })[];
  readonly asked: () => readonly string[];
  readonly clock: { nowMs: number };
  readonly doubt: (authorization: string) => void;
}

async function proving(t: TestContext, server: Server, page?: string): Promise<Proving> {
  const seen: (Seen & { readonly body: Buffer })[] = [];
  const { url } = await aServer(t, (req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      const { method = "", url: target = "", rawHeaders } = req;
      seen.push({ method, url: target, rawHeaders, body: Buffer.concat(chunks) });
      res.statusCode = server({ method, url: target, authorization: req.headers.authorization });
      res.end(method === "POST" ? (page ?? encode(element("Settings:Settings", element("Settings:Status", "1")))) : "");
    });
  });
  const upstream = createUpstream({
    url: new URL(url),
    ca: undefined,
    connectTimeoutMs: 1000,
    responseTimeoutMs: 5000,
    idleSocketMs: 1000,
    answerHeaders: createAnswerHeaders({ upstreamOrigins: [url], publicUrl: undefined }),
  });
  t.after(() => upstream.close());
  const protocol = createActiveSync({ secret: new Uint8Array(32), bodyLimitBytes: 65_536 });
  const clock = { nowMs: 0 };
  const proof = createCredentialProof({
    secret: new Uint8Array(32),
    validMs: 300_000,
    now: () => clock.nowMs,
  });
  return {
    async prove(authorization, parts = {}): Promise<number | "accepted"> {
      const headers = new Map([
        ["host", "x"],
        ["cookie", "session=of-somebody"],
        ["ms-asprotocolversion", "14.1"],
        ["x-ms-policykey", "7"],
        ...(authorization === undefined ? [] : [["authorization", authorization] as const]),
      ]);
      const request = aMailRequest({
        method: "POST",
        path,
        query: "Cmd=Sync&User=alice&DeviceId=PHONEA&DeviceType=iPhone&CollectionId=5",
        headers,
        credential: parseCredential(authorization),
        ...parts,
      });
      const refused = await proof.prove(request, { path, protocol, upstream, websocket: false, except: [] }, undefined);
      if (refused === undefined) return "accepted";
      assert.ok(refused.kind === "answer");
      return refused.httpStatus;
    },
    seen,
    asked: () => seen.map(({ method, rawHeaders }) => `${method} ${wordFor(rawHeaders)}`),
    clock,
    doubt: (authorization) => proof.doubt(parseCredential(authorization).person),
  };
}

function wordFor(rawHeaders: readonly string[]): string {
  const index = rawHeaders.findIndex((name) => name.toLowerCase() === "authorization");
  const value = index === -1 ? undefined : rawHeaders[index + 1];
  if (value === undefined) return "nobody";
  return value === good ? "good" : value === wrong ? "wrong" : "made up";
}

const isGood = ({ authorization }: Asked): boolean => authorization === good;
/** Exchange, SOGo, Z-Push since 2.3: OPTIONS is for those whom the server knows. */
const strict: Server = (asked) => (isGood(asked) ? 200 : 401);
const toEverybody: Server = (asked) => (asked.method === "OPTIONS" || isGood(asked) ? 200 : 401);
const toAnyCredential: Server = (asked) =>
  asked.authorization !== undefined && (asked.method === "OPTIONS" || isGood(asked)) ? 200 : 401;
const withoutOptions: Server = (asked) => (asked.method === "OPTIONS" ? 501 : isGood(asked) ? 200 : 401);

suite("a password is accepted or refused as the mail server does", () => {
  for (const [name, server] of [
    ["a server that answers OPTIONS to those it knows", strict],
    ["a server that answers OPTIONS to everybody", toEverybody],
    ["a server that answers OPTIONS to everybody who sends any credential", toAnyCredential],
    ["a server that has no OPTIONS", withoutOptions],
  ] as const) {
    test(name, async (t) => {
      const { prove } = await proving(t, server);
      assert.equal(await prove(wrong), 401);
      assert.equal(await prove(good), "accepted");
      assert.equal(await prove(wrong), 401);
      const none = await prove(undefined);
      assert.ok(none !== "accepted");
    });
  }

  test("a page to sign in on, which everybody gets, proves nothing", async (t) => {
    const { prove } = await proving(t, () => 200, "<html>Please sign in</html>");
    assert.equal(await prove(wrong), 503);
    assert.equal(await prove(good), 503);
  });

  test("a server that asks for its policy first knows who asks", async (t) => {
    const { prove } = await proving(t, (asked) => (asked.method === "OPTIONS" ? 200 : isGood(asked) ? 449 : 401));
    assert.equal(await prove(good), "accepted");
    assert.equal(await prove(wrong), 401);
  });

  test("a server that fails proves nothing", async (t) => {
    const { prove } = await proving(t, () => 500);
    assert.equal(await prove(good), 503);
  });
});

suite("the mail server is asked", () => {
  test("once whether OPTIONS tells, and once for each password in five minutes", async (t) => {
    const { prove, asked, clock } = await proving(t, strict);
    for (let round = 0; round < 3; round += 1) assert.equal(await prove(good), "accepted");
    assert.deepEqual(asked(), ["OPTIONS good", "OPTIONS made up"]);
    clock.nowMs = 300_001;
    await prove(good);
    assert.deepEqual(asked().slice(2), ["OPTIONS good"]);
    clock.nowMs = 3_600_001;
    await prove(good);
    assert.deepEqual(asked().slice(3), ["OPTIONS good", "OPTIONS made up"]);
  });

  test("for each wrong password, and with no more requests than there are guesses", async (t) => {
    const { prove, asked } = await proving(t, strict);
    for (let round = 0; round < 3; round += 1) await prove(wrong);
    assert.deepEqual(asked(), ["OPTIONS wrong", "OPTIONS wrong", "OPTIONS wrong"]);
  });

  test("anew once a password of the same person was refused: it may have locked the account", async (t) => {
    let locked = false;
    const { prove } = await proving(t, (asked) => (isGood(asked) && !locked ? 200 : 401));
    assert.equal(await prove(good), "accepted");
    assert.equal(await prove(wrong), 401);
    locked = true;
    assert.equal(await prove(good), 401);
  });

  test("anew as well where that password went upstream by itself", async (t) => {
    const { prove, doubt, asked } = await proving(t, strict);
    await prove(good);
    doubt(wrong);
    await prove(good);
    assert.deepEqual(asked().filter((each) => each === "OPTIONS good").length, 2);
  });

  test("but not because somebody else's was", async (t) => {
    const { prove, asked } = await proving(t, strict);
    await prove(good);
    await prove(basic("bob", "guessed"));
    await prove(good);
    assert.deepEqual(asked().filter((each) => each === "OPTIONS good").length, 1);
  });

  test("about the password alone: no cookie goes with it", async (t) => {
    const { prove, seen } = await proving(t, toEverybody);
    await prove(good);
    assert.equal(seen.length, 3);
    for (const { rawHeaders } of seen) assert.ok(!rawHeaders.some((name) => name.toLowerCase() === "cookie"));
  });

  test("for the addresses of the same phone, and for nothing else that the phone wanted", async (t) => {
    const { prove, seen } = await proving(t, toEverybody);
    await prove(good);
    const [, , settings] = seen;
    assert.ok(settings !== undefined);
    assert.equal(settings.url, `${path}?Cmd=Settings&User=alice&DeviceId=PHONEA&DeviceType=iPhone`);
    assert.deepEqual(
      decode(settings.body),
      element("Settings:Settings", element("Settings:UserInformation", element("Settings:Get"))),
    );
  });

  test("in base64, for a phone that speaks so", async (t) => {
    // Version 14.1, Sync, en-US, id "PHONEA", policy key 7, type "iPhone", then: collection 5, user alice.
    const head = [0x8d, 0x00, 0x09, 0x04, 6, ...Buffer.from("PHONEA"), 4, 7, 0, 0, 0, 6, ...Buffer.from("iPhone")];
    const user = [8, 5, ...Buffer.from("alice")];
    const query = Buffer.from([...head, 1, 1, 0x35, ...user]).toString("base64");
    const { prove, seen } = await proving(t, toEverybody);
    await prove(good, {
      query,
      headers: new Map([
        ["host", "x"],
        ["authorization", good],
      ]),
    });
    const expected = Buffer.from([...head, ...user]);
    expected[1] = 17;
    assert.equal(seen[2]?.url, `${path}?${expected.toString("base64")}`);
  });
});
