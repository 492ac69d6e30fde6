/** The head of a request: what still fits is accepted, and one more is refused. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseQuery } from "../../src/activesync/query.ts";
import { Refusal } from "../../src/gateway/errors.ts";
import { parseHead } from "../../src/gateway/head.ts";
import { parseTarget } from "../../src/gateway/target.ts";
import { basic, target } from "../hostile/wire.ts";
import { aGate, clean } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { aServer, exchangeBytes } from "../support/http.ts";

function outcomeOf(read: () => unknown): string {
  try {
    read();
    return "accepted";
  } catch (error) {
    if (error instanceof Refusal) return `${error.httpStatus} ${error.code}`;
    throw error;
  }
}

const lines = (count: number): string[] => [
  "Host",
  "x",
  ...Array.from({ length: count - 1 }, (_, index) => [`X-${index}`, "1"]).flat(),
];
const query = (parameters: number, id = "PHONEA"): string =>
  ["Cmd=Sync", `DeviceId=${id}`, ...Array.from({ length: parameters - 2 }, (_, index) => `x${index}=1`)].join("&");
const targetOf = (length: number): string => `/${"a".repeat(length - 1)}`;

suite("what still fits, and one more", () => {
  const cases: readonly (readonly [what: string, most: number, read: (size: number) => unknown, refusal: string])[] = [
    ["header lines", 100, (size) => parseHead("POST", lines(size)), "431 head-too-large"],
    [
      "bytes of a User-Agent",
      1024,
      (size) => parseHead("POST", ["Host", "x", "User-Agent", "a".repeat(size)]),
      "400 header-refused",
    ],
    ["bytes of a target", 4096, (size) => parseTarget(targetOf(size)), "414 head-too-large"],
    ["parameters of a query", 64, (size) => parseQuery(query(size), new Map()), "400 identity-ambiguous"],
    [
      "characters of a device id",
      64,
      (size) => parseQuery(query(2, "A".repeat(size)), new Map()),
      "400 identity-ambiguous",
    ],
  ];
  for (const [what, most, read, refusal] of cases) {
    test(`${most} ${what}`, () => {
      assert.equal(
        outcomeOf(() => read(most)),
        "accepted",
      );
      assert.equal(
        outcomeOf(() => read(most + 1)),
        refusal,
      );
    });
  }

  test("16 KiB of a head, all of it", async (t) => {
    const upstream = await aServer(t, (req, res) => {
      req.resume();
      res.end("mail");
    });
    const gate = await aGate(t, { upstream: upstream.url });
    await gate.reports("PHONEA", clean);
    // Node counts names, values and the target, not what stands between them: so the last bytes before the limit are left alone.
    assert.match(await withHeadOf(gate, 16_000), /^HTTP\/1.1 200 /);
    assert.match(await withHeadOf(gate, 16_500), /^HTTP\/1.1 4\d\d /);
    assert.equal(upstream.seen.length, 1);
  });
});

test("a client is told how long its idle connection is kept", async (t) => {
  const gate = await aGate(t, { upstream: "http://127.0.0.1:9" });
  const bytes = "OPTIONS /Microsoft-Server-ActiveSync HTTP/1.1\r\nHost: x\r\n\r\n";
  assert.match(await exchangeBytes(gate.app.mail.port, bytes, "later.\n"), /^Keep-Alive: timeout=65\r$/m);
});

function withHeadOf(gate: Gate, bytes: number): Promise<string> {
  const head = `POST ${target("Sync")} HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic()}\r\nContent-Length: 0\r\nConnection: close\r\n`;
  const padding = bytes - head.length - "Cookie: \r\n\r\n".length;
  return exchangeBytes(gate.app.mail.port, `${head}Cookie: ${"c".repeat(padding)}\r\n\r\n`);
}
