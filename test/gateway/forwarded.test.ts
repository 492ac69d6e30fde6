import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { aGate } from "../support/gate.ts";
import { aServer, ask } from "../support/http.ts";

suite("the mail server is told by which kind of address people reach the gate", () => {
  const rows: readonly (readonly [title: string, env: Readonly<Record<string, string>>, expected: string])[] = [
    [
      "https, where a proxy in front of it has the certificate",
      { POSTERN_MAIL_PUBLIC_URL: "https://mail.corp.example" },
      "https",
    ],
    ["http, where nothing is said of another", {}, "http"],
  ];
  for (const [title, env, expected] of rows) {
    test(title, async (t) => {
      const { url, seen } = await aServer(t, (_req, res) => res.end());
      const gate = await aGate(t, { upstream: url, env });
      for (const said of [{}, { "X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "evil.example" }])
        await ask(`${gate.url}/Microsoft-Server-ActiveSync`, { method: "OPTIONS", headers: said });
      for (const { rawHeaders } of seen) {
        const at = rawHeaders.findIndex((name) => name.toLowerCase() === "x-forwarded-proto");
        assert.deepEqual(rawHeaders.slice(at + 1, at + 2), [expected]);
        assert.equal(rawHeaders.includes("evil.example"), false);
      }
      assert.equal(seen.length, 2);
    });
  }
});
