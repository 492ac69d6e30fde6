/** docs/afternoon.md, from top to bottom: its own commands, against real processes, with the clock that it says. */
import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { createMailServer } from "../../src/demo/mail-server.ts";
import { aConfigDirectory } from "../support/config-directory.ts";
import { aClock } from "../support/clock.ts";
import type { Clock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { codeBlocks } from "../support/markdown.ts";
import { program, repository, startPostern } from "../support/postern.ts";
import { freePort, startRedis } from "../support/redis-server.ts";
import { startSmtpServer } from "../support/smtp-server.ts";

const [page = "", atHome = ""] = readFileSync(path.join(repository, "docs/afternoon.md"), "utf8").split("## At home\n");
const gatePorts = ["18080", "18081", "18090", "18091"] as const;
/** It takes a minute and a half where nobody else needs the cores. */
const LIFE_MS = 900_000;
const PATIENCE_MS = 60_000;

/** A command that only looks may have to look again, as its reader would: letters go out every few seconds. */
const looking = /postern (phone inbox|campaign (preview|letters|history)|device why|notice preview) /;

type Step =
  | { readonly kind: "clock"; readonly line: number; readonly at: Date }
  | { readonly kind: "file"; readonly line: number; readonly name: string; readonly text: string }
  | {
      readonly kind: "commands";
      readonly line: number;
      readonly commands: readonly string[];
      readonly prints: readonly string[];
    };

function stepsOf(markdown: string): readonly Step[] {
  const lines = markdown.split("\n");
  const clocks = lines.flatMap((text, index): Step[] => {
    const [, at] = /^<!-- clock (\S+) -->$/.exec(text) ?? [];
    return at === undefined ? [] : [{ kind: "clock", line: index + 1, at: new Date(at) }];
  });
  const blocks = codeBlocks(markdown);
  const others = blocks.flatMap((block, index): Step[] => {
    const { language, line } = block;
    // The last name of a file before the block is that of the block.
    const name =
      [
        ...lines
          .slice(0, line)
          .join("\n")
          .matchAll(/`([a-z]+\.yaml)`/g),
      ].at(-1)?.[1] ?? "";
    if (language === "yaml") return [{ kind: "file", line, name, text: `${block.lines.join("\n")}\n` }];
    if (language !== "sh") return [];
    const next = blocks[index + 1];
    assert.equal(next?.language, "text", `line ${line}: the page does not say what is printed`);
    return [{ kind: "commands", line, commands: block.lines, prints: next.lines }];
  });
  return [...clocks, ...others].toSorted((a, b) => a.line - b.line);
}

test("docs/afternoon.md works from top to bottom, and prints what it shows", async (t) => {
  const steps = stepsOf(page);
  const [first] = steps;
  assert.ok(first?.kind === "clock");
  const redis = await startRedis();
  t.after(() => redis.stop());
  const smtp = await startSmtpServer();
  t.after(() => smtp.stop());
  const { clock, hand, cwd, type, toHere, toPage } = await aTerminal(t, first.at, [
    ["http://127.0.0.1:20080", await aMailServer(t)],
    ["redis://127.0.0.1:6379/0", redis.url],
    ["smtp://127.0.0.1:25", `smtp://127.0.0.1:${smtp.port}`],
  ]);

  let at = first.at;
  for (const step of steps) {
    // Whoever types does it in the minute that the page says, however slow this machine is.
    hand.set(at);
    if (step.kind === "clock") {
      at = step.at;
      clock.set(at);
    } else if (step.kind === "file") writeFileSync(path.join(cwd, step.name), toHere(step.text));
    else {
      const expected = step.prints.join("\n");
      const [line = ""] = step.commands;
      if (/postern serve /.test(line)) {
        const gate = type(line.replace("postern serve", "exec postern serve"), clock);
        await gate.says(/\n/);
        assert.equal(toPage(gate.stdout()).trimEnd(), expected);
        continue;
      }
      const look = async (): Promise<void> => {
        hand.set(at);
        const { stdout } = await type(`{ ${step.commands.join("\n")}\n} 2>&1`).finished;
        assert.equal(toPage(stdout).trimEnd(), expected, `line ${step.line}`);
      };
      if (step.commands.every((each) => looking.test(each))) await eventually(look, PATIENCE_MS);
      else await look();
    }
  }
});

test("docs/afternoon.md can be played at home, with the demonstration's mail server and one gate without Redis", async (t) => {
  const { clock, cwd, type, toHere } = await aTerminal(t, new Date("2027-07-10T13:00:05Z"), []);
  const demo = type("exec postern demo --folder demo --port 0");
  const [, upstream = ""] = await demo.says(/small mail server at (http:\S+)\./);
  const [config = "", ...others] = codeBlocks(atHome)
    .filter(({ language }) => language === "yaml")
    .map(({ lines }) => lines.join("\n"));
  assert.deepEqual(others, []);
  writeFileSync(path.join(cwd, "postern.yaml"), toHere(config).replace("http://127.0.0.1:20080", upstream));
  const campaign = stepsOf(page).find((step) => step.kind === "file" && step.name === "tiktok.yaml");
  assert.ok(campaign?.kind === "file");
  writeFileSync(path.join(cwd, campaign.name), campaign.text);
  const say = async (line: string): Promise<string> => {
    const { stdout, stderr, exitCode } = await type(line).finished;
    assert.equal(exitCode, 0, stderr);
    return stdout;
  };
  const typed = stepsOf(page).flatMap((step) => (step.kind === "commands" ? step.commands : []));
  const typedWith = (words: RegExp): string => {
    const line = typed.find((each) => words.test(each));
    assert.ok(line !== undefined, String(words));
    return line;
  };
  const gate = type("exec postern serve --config postern.yaml", clock);
  await gate.says(/\n/);
  for (const device of typed.filter((each) => each.includes("device set") && each.includes("owner=")))
    await say(device);
  const near = codeBlocks(atHome).filter(({ language }) => language === "sh");
  for (const { lines } of near) for (const line of lines) await say(line.trim());
  const inbox = typedWith(/phone inbox .* --user bob/);
  assert.match(await say(inbox), /Inbox +\d+ messages/);
  await say(typedWith(/campaign apply/));
  await eventually(
    async () => assert.match(await say(inbox), /Remove TikTok from your iPhone to keep your mail/),
    PATIENCE_MS,
  );
  clock.set(new Date("2027-07-10T13:06:05Z"));
  await eventually(
    async () => assert.match(await say(inbox), /1 message,[^]*Remove TikTok from your iPhone to get your mail back/),
    PATIENCE_MS,
  );
  await say(typedWith(/campaign retract/));
  await eventually(async () => assert.match(await say(inbox), /Inbox +\d+ messages/), PATIENCE_MS);
});

interface Terminal {
  readonly clock: Clock;
  /** That of the one who types. */
  readonly hand: Clock;
  readonly cwd: string;
  /** Starts a line of the page. */
  readonly type: (line: string, by?: Clock) => ReturnType<typeof startPostern>;
  /** What the page says, as it is here; and back. */
  readonly toHere: (text: string) => string;
  readonly toPage: (text: string) => string;
}

/** A folder in which `postern` is a command, on machines whose addresses are others than those of the page. */
async function aTerminal(
  t: TestContext,
  at: Date,
  addresses: readonly (readonly [written: string, here: string])[],
): Promise<Terminal> {
  const [clock, hand] = [await aClock(t, at), await aClock(t, at)];
  // As long as those of the page, so that no column moves.
  const ports = await Promise.all(
    gatePorts.map(async (port) => [`127.0.0.1:${port}`, `127.0.0.1:${await freePort()}`] as const),
  );
  const here = [...addresses, ...ports];
  const toHere = (text: string): string => here.reduce((all, [written, now]) => all.replaceAll(written, now), text);
  const toPage = (text: string): string => here.reduce((all, [written, now]) => all.replaceAll(now, written), text);
  const { path: cwd, write } = aConfigDirectory(t, "");
  chmodSync(write("postern", `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`), 0o755);
  const searched = `${cwd}:${process.env["PATH"] ?? ""}`;
  const type = (line: string, by = hand): ReturnType<typeof startPostern> =>
    startPostern(t, ["-c", toHere(line)], {
      command: ["/bin/sh"],
      cwd,
      env: { ...by.env, PATH: searched },
      lifeLimitMs: LIFE_MS,
    });
  return { clock, hand, cwd, type, toHere, toPage };
}

/** Bob and Alice with one message each. */
async function aMailServer(t: TestContext): Promise<string> {
  const server = createMailServer({
    seed: "test",
    users: ["alice", "bob"].map((name) => ({
      name,
      password: `${name}-demo`,
      displayName: name,
      messages: [
        {
          from: "Carol Clerk <carol@corp.example>",
          subject: "Minutes of Friday",
          text: "Here they are.",
          receivedAt: new Date("2027-07-10T08:12:00Z"),
        },
      ],
    })),
  });
  const listening = await server.listen();
  t.after(() => listening.close());
  return listening.url;
}
