/** What a mail server's refusal says: of one letter, or of the server. */
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createCourier } from "../../src/letters/courier.ts";

/** A server that answers a greeting, a command's first word, or else 250. */
async function aServer(t: TestContext, answers: Readonly<Record<string, string>>): Promise<number> {
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.write(`${answers["greeting"] ?? "220 mail"}\r\n`);
    socket.on("data", (data) => {
      const [word = ""] = data.toString("latin1").split(/[ \r\n]/);
      socket.write(`${answers[word] ?? "250 ok"}\r\n`);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}

suite("a letter that the mail server does not take", () => {
  const rows: readonly (readonly [title: string, answers: Readonly<Record<string, string>>, outcome: string])[] = [
    ["because the mailbox is full for now waits alone", { RCPT: "452 mailbox full" }, "postponed"],
    ["because nobody has that address is refused for good", { RCPT: "550 nobody" }, "refused"],
    ["because the server goes away waits with all others", { MAIL: "421 closing" }, "postponed, away"],
    ["because the server lets nobody in is no refused letter", { greeting: "554 no service" }, "postponed, away"],
    [
      "because the password has expired is no refused letter",
      { AUTH: "535 expired", EHLO: "250 AUTH PLAIN" },
      "postponed, away",
    ],
  ];
  for (const [title, answers, outcome] of rows) {
    test(title, async (t) => {
      const port = await aServer(t, answers);
      const [username, password] = answers["AUTH"] === undefined ? [undefined, undefined] : ["postern", "old"];
      const courier = createCourier({ host: "127.0.0.1", port, tls: false, username, password, perMinute: 6_000 });
      t.after(() => courier.close());
      const delivery = await courier.deliver({
        to: "alice@corp.example",
        from: { name: "IT", address: "it@corp.example" },
        subject: "S",
        text: "T",
        html: undefined,
        language: "en",
        envelopeId: "0123456789abcdef01234567.1.tiktok",
      });
      const isAway = delivery.kind === "postponed" && delivery.isAway;
      assert.equal(`${delivery.kind}${isAway ? ", away" : ""}`, outcome);
    });
  }
});
