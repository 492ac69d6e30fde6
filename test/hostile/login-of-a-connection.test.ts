/** NTLM and Negotiate log a connection in. Whatever else its requests say, they are that person's. */
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import { aServer, ask } from "../support/http.ts";
import { basic, target } from "./wire.ts";

/** Whoever has logged in on a connection is served there, whatever a later request carries. */
async function aServerThatRemembers(t: TestContext): Promise<string> {
  const owners = new Map<number | undefined, string>();
  const { url } = await aServer(t, (req, res) => {
    if (req.headers.authorization?.startsWith("NTLM ") === true) owners.set(req.socket.remotePort, "alice");
    req.resume();
    res.end(`mail of ${owners.get(req.socket.remotePort) ?? "nobody"}`);
  });
  return url;
}

const ntlm = "NTLM TlRMTVNTUAAD";

test("a login on the connection is not taken for somebody else's by a password that nobody has looked at", async (t) => {
  const gate = await aGate(t, { upstream: await aServerThatRemembers(t) });
  await gate.reports("PHONEA", withTiktok);
  await gate.reports("PHONEB", { ...clean, owner: "bob" });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const send = (id: string, user: string, Authorization: string) =>
    ask(gate.url + target("Sync", id, user), { method: "POST", agent, headers: { Authorization } });
  await send("PHONEA", "alice", ntlm);
  const answer = await send("PHONEB", "bob", basic("bob", "guessed"));
  assert.doesNotMatch(answer.body.toString(), /mail of alice/);
});

test("a login on the connection does not make somebody's phone anybody's", async (t) => {
  const gate = await aGate(t, { upstream: await aServerThatRemembers(t) });
  await gate.reports("PHONEB", { ...clean, owner: "bob" });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  for (const headers of [{ Authorization: ntlm }, {}]) {
    const answer = await ask(gate.url + target("Sync", "PHONEB", "bob"), { method: "POST", agent, headers });
    assert.doesNotMatch(answer.body.toString(), /mail of alice/);
  }
});

test("the connection of a login upstream ends with the client's, and nobody gets it", async (t) => {
  const gate = await aGate(t, { upstream: await aServerThatRemembers(t) });
  await gate.reports("PHONEA", clean);
  const one = new http.Agent({ keepAlive: true, maxSockets: 1 });
  await ask(gate.url + target("Sync"), { method: "POST", agent: one, headers: { Authorization: ntlm } });
  one.destroy();
  for (let round = 0; round < 20; round += 1) {
    const answer = await ask(gate.url + target("Sync"), { method: "POST", headers: { Authorization: basic() } });
    assert.equal(answer.body.toString(), "mail of nobody");
  }
});
