/** One client has so many requests worked on at once; whoever only knows its name takes none of its places. */
import assert from "node:assert/strict";
import http from "node:http";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { basic, target } from "../hostile/wire.ts";
import { eventually } from "../support/eventually.ts";
import { aGate, clean } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { aServer } from "../support/http.ts";

interface Sent {
  /** The HTTP status, or "cut". */
  outcome: number | "cut" | undefined;
  retryAfter: string | undefined;
}

interface Holding {
  readonly gate: Gate;
  /** Requests that upstream holds at the moment. */
  readonly held: () => number;
  readonly send: (command: string, headers?: Readonly<Record<string, string>>) => Sent;
  readonly answerAll: () => void;
}

async function holding(t: TestContext, limits: string, more = ""): Promise<Holding> {
  const open = new Set<http.ServerResponse>();
  const upstream = await aServer(t, (req, res) => {
    req.resume();
    open.add(res);
    res.once("close", () => open.delete(res));
  });
  const gate = await aGate(t, { upstream: upstream.url, config: `mail: { limits: { ${limits} }${more} }` });
  await gate.reports("PHONEA", clean);
  const agent = new http.Agent({ maxSockets: Infinity });
  t.after(() => agent.destroy());
  return {
    gate,
    held: () => open.size,
    send(command, headers = {}): Sent {
      const sent: Sent = { outcome: undefined, retryAfter: undefined };
      const request = http.request(
        gate.url + target(command),
        { method: "POST", agent, headers: { Authorization: basic(), "Content-Length": "0", ...headers } },
        (incoming) => {
          sent.outcome = incoming.statusCode;
          sent.retryAfter = incoming.headers["retry-after"];
          incoming.resume();
        },
      );
      request.on("error", () => {
        sent.outcome = "cut";
      });
      request.end();
      return sent;
    },
    answerAll(): void {
      for (const res of open) res.end();
    },
  };
}

suite("requests at once with one password", () => {
  test("as many as there may be are held, and one more Ping ends the longest wait", async (t) => {
    const { send, held } = await holding(t, "maxRequestsPerCredential: 3");
    const sent: Sent[] = [];
    for (let count = 1; count <= 3; count += 1) {
      sent.push(send("Ping"));
      await eventually(() => assert.equal(held(), count));
    }
    assert.deepEqual(
      sent.map(({ outcome }) => outcome),
      [undefined, undefined, undefined],
    );
    sent.push(send("Ping"));
    await eventually(() => assert.equal(sent[0]?.outcome, "cut"));
    await eventually(() => assert.equal(held(), 3));
    assert.deepEqual(
      sent.slice(1).map(({ outcome }) => outcome),
      [undefined, undefined, undefined],
    );
  });

  test("where nothing waits, one more is told to come back later, until there is room", async (t) => {
    const { send, held, answerAll } = await holding(t, "maxRequestsPerCredential: 2");
    const working = [send("Settings"), send("MoveItems")];
    await eventually(() => assert.equal(held(), 2));
    const one = send("Ping");
    await eventually(() => assert.deepEqual(one, { outcome: 503, retryAfter: "30" }));
    answerAll();
    await eventually(() => assert.ok(working.every(({ outcome }) => outcome === 200)));
    send("Ping");
    await eventually(() => assert.equal(held(), 1));
  });

  test("are not taken by whoever knows the name and no password", async (t) => {
    const { send, held } = await holding(t, "maxRequestsPerCredential: 2");
    const mine = send("Ping");
    await eventually(() => assert.equal(held(), 1));
    for (let count = 0; count < 5; count += 1) send("Ping", { Authorization: basic("alice", `guess ${count}`) });
    await eventually(() => assert.equal(held(), 6));
    const second = send("Ping");
    await eventually(() => assert.equal(held(), 7));
    assert.deepEqual([mine.outcome, second.outcome], [undefined, undefined]);
  });
});

test("behind a proxy of ours, one client has as many requests at once as connections otherwise, and others have theirs", async (t) => {
  const { send, held } = await holding(t, "maxConnectionsPerAddress: 2", ", trustedProxies: [127.0.0.1]");
  const from = (address: string): Readonly<Record<string, string>> => ({ "X-Forwarded-For": address });
  send("Ping", from("192.0.2.1"));
  send("Ping", from("192.0.2.1"));
  await eventually(() => assert.equal(held(), 2));
  const third = send("Ping", from("192.0.2.1"));
  await eventually(() => assert.equal(third.outcome, 503));
  const other = send("Ping", from("192.0.2.2"));
  await eventually(() => assert.equal(held(), 3));
  assert.equal(other.outcome, undefined);
});
