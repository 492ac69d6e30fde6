/** A method whose body Node does not frame by itself, on a connection to upstream that everybody shares. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { aGate, withTiktok } from "../support/gate.ts";
import { aServer, exchangeBytes } from "../support/http.ts";
import { basic, laptop, target } from "./wire.ts";

const hidden = `POST ${target("Sync", "BAD1")} HTTP/1.1\r\nHost: mail.example\r\nAuthorization: ${basic()}\r\nContent-Length: 0\r\n\r\n`;

function chunked(method: string): string {
  const head = `${method} /mail/x HTTP/1.1\r\nHost: mail.example\r\nUser-Agent: ${laptop}\r\nTransfer-Encoding: chunked`;
  return `${head}\r\n\r\n${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;
}

suite("a chunked body stays a body on its way upstream", () => {
  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
    // httpxy writes Content-Length: 0 for a DELETE without a length, and then the body behind it.
    test(method, async (t) => {
      const upstream = await aServer(t, (req, res) => {
        req.resume();
        req.on("end", () => res.end("page"));
      });
      const gate = await aGate(t, { upstream: upstream.url });
      await gate.reports("BAD1", withTiktok);
      await exchangeBytes(gate.app.mail.port, chunked(method), /page|HTTP\/1\.1 4/);
      // One more on the same connection: what was hidden would have been read before it.
      await exchangeBytes(
        gate.app.mail.port,
        `GET /mail/y HTTP/1.1\r\nHost: x\r\nUser-Agent: ${laptop}\r\nConnection: close\r\n\r\n`,
      );
      assert.deepEqual(
        upstream.seen.map(({ url }) => url).filter((url) => !url.startsWith("/mail/")),
        [],
      );
    });
  }
});

test("nobody gets the answer to a request that another client hid in a body", async (t) => {
  const upstream = await aServer(t, (req, res) => {
    req.resume();
    if (req.url?.includes("Cmd=Sync") === true) setTimeout(() => res.end("mail of alice"), 100);
    else res.end("page");
  });
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("BAD1", withTiktok);
  await exchangeBytes(gate.app.mail.port, chunked("DELETE"), /page|HTTP\/1\.1 4/);
  const bob = await exchangeBytes(
    gate.app.mail.port,
    `GET /mail/bob HTTP/1.1\r\nHost: x\r\nUser-Agent: ${laptop}\r\nConnection: close\r\n\r\n`,
  );
  assert.doesNotMatch(bob, /mail of alice/);
});
