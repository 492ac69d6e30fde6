/**
 * A program for EWS that nobody here wrote: exchangelib (Debian: python3-exchangelib), through the gate. Whatever it asks when it
 * is not let in, it understands as what it is, and shows the person the gate's own words.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { requirePackages } from "../support/debian.ts";
import { anEwsServer } from "../support/ews-server.ts";
import { aGate } from "../support/gate.ts";

/** Python takes a second to read it all, and more where many tests run at once. */
const PATIENCE_MS = 120_000;

/** Asks one thing after the other, and prints what came of each. */
const program = `
import datetime, sys
from exchangelib import Account, Configuration, Credentials, DELEGATE, UTC
from exchangelib.properties import ItemId
from exchangelib.protocol import BaseProtocol
from exchangelib.version import EXCHANGE_2016, Version

url, agent, password = sys.argv[1:]
BaseProtocol.USERAGENT = agent
config = Configuration(service_endpoint=url, credentials=Credentials("alice", password), auth_type="basic", version=Version(build=EXCHANGE_2016))
account = Account("alice@corp.example", config=config, autodiscover=False, access_type=DELEGATE, default_timezone=UTC)
protocol = account.protocol
start = datetime.datetime(2026, 11, 30, 8, tzinfo=UTC)
asks = {
    "GetFolder": lambda: account.root,
    "ResolveNames": lambda: protocol.resolve_names(["carol"]),
    "GetServerTimeZones": lambda: list(protocol.get_timezones()),
    "GetUserOofSettings": lambda: account.oof_settings,
    "GetUserAvailability": lambda: list(protocol.get_free_busy_info(accounts=[("bob@corp.example", "Required", False), ("carol@corp.example", "Required", False)], start=start, end=start + datetime.timedelta(hours=1))),
    "GetRoomLists": lambda: list(protocol.get_roomlists()),
    "GetMailTips": lambda: account.mail_tips,
    "GetDelegate": lambda: account.delegates,
    "ExpandDL": lambda: protocol.expand_dl("all@corp.example"),
    "GetItem": lambda: list(account.fetch([ItemId(id="AAMk", changekey="CQ")])),
    "GetSearchableMailboxes": lambda: list(protocol.get_searchable_mailboxes()),
}
for name, ask in asks.items():
    try:
        said = ask()
        if isinstance(said, list) and said and isinstance(said[0], Exception):
            raise said[0]
        print(name, "succeeded", said)
    except Exception as error:
        print(name, type(error).__name__, error)
`;

async function comeOf(t: TestContext, { password, config }: { password: string; config?: string }) {
  await requirePackages([
    { packageName: "python3-exchangelib", file: "/usr/lib/python3/dist-packages/exchangelib/__init__.py" },
  ]);
  const server = await anEwsServer(t);
  const routes = "  - { path: /EWS, protocol: ews }";
  const gate = await aGate(t, { upstream: server.url, routes, ...(config === undefined ? {} : { config }) });
  const args = ["-c", program, `${gate.url}/EWS/Exchange.asmx`, "exchangelib/4.9", password];
  const { stdout } = await promisify(execFile)("/usr/bin/python3", args, { timeout: PATIENCE_MS });
  const lines = stdout.trim().split("\n");
  assert.ok(lines.length > 10);
  return { lines, asked: server.journal.map(({ body }) => body()) };
}

suite("exchangelib", () => {
  test("that is not let in understands every refusal, and shows the words", async (t) => {
    const { lines, asked } = await comeOf(t, { password: "alice-Pw-1" });
    for (const line of lines)
      assert.match(line, /^\w+ ErrorAccessDenied Example Ltd does not show mail in this program\./);
    for (const body of asked) assert.match(body, /Id="msgfolderroot"/, "the gate's own question, and no other");
  });

  test("with a wrong password hears so from the mail server, and nothing from the gate", async (t) => {
    const { lines } = await comeOf(t, { password: "guessed" });
    for (const line of lines) assert.match(line, /^\w+ UnauthorizedError Invalid credentials/);
  });

  test("that is named passes: what it does not get is for the mail server to say", async (t) => {
    const { lines, asked } = await comeOf(t, {
      password: "alice-Pw-1",
      config: "ews: { allowAgents: [exchangelib/] }",
    });
    for (const line of lines) assert.doesNotMatch(line, /ErrorAccessDenied|Example Ltd/);
    assert.ok(asked.some((body) => body.includes("<m:ExpandDL")));
  });
});
