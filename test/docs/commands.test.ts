/** Every command in the documents is one that a test runs, and every number and name in them is one that exists. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createMailServer } from "../../src/demo/mail-server.ts";
import { codeBlocks, tableAfter } from "../support/markdown.ts";
import { postern, serving } from "../support/postern.ts";
import { startRedis } from "../support/redis-server.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const documents = [
  "README.md",
  "ARCHITECTURE.md",
  "SECURITY.md",
  "CHANGELOG.md",
  ...readdirSync(path.join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  ...readdirSync(path.join(root, "docs/connectors")).map((name) => `docs/connectors/${name}`),
];
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");

/** Who exercises a command: this file's walk-through, or the test that is named. */
const exercised: readonly (readonly [command: RegExp, by: string])[] = [
  [/^npm ci && npm test$/, ".ci/run"],
  [/^npm ci && npm start$/, "test/cli/demo.test.ts"],
  [/^npm ci$/, ".ci/run"],
  [/^npm run postern -- config (check|show) --config postern\.yaml$/, "test/docs/commands.test.ts"],
  [/^npm run postern -- serve --config postern\.yaml$/, "test/docs/commands.test.ts"],
  [/^npm run postern -- health --config postern\.yaml$/, "test/cli/serve.test.ts"],
  [/^npm run postern -- notice preview --config postern\.yaml --campaign tiktok /, "test/cli/notice.test.ts"],
  [/^npm run postern -- phone inbox /, "test/docs/commands.test.ts"],
  [/^npm run postern -- device (set|show|forget) (MYPHONE1|APPLF1XK93ABCD) /, "test/docs/commands.test.ts"],
  [/^postern campaign (plan|apply) config\/campaigns\/tiktok\.yaml/, "test/docs/commands.test.ts"],
  [/^postern campaign (preview config\/campaigns\/tiktok\.yaml|report tiktok)/, "test/cli/campaign-preview.test.ts"],
  [/^postern campaign (list|history|retract) ?/, "test/cli/campaign.test.ts"],
  [/^postern exempt (add|break-glass|list|end) ?/, "test/cli/campaign.test.ts"],
  [/^postern audit (list|verify|export) /, "test/cli/audit.test.ts"],
  [/^postern device why ABC123/, "test/cli/campaign.test.ts"],
  [/^postern inventory (status|check scripts) /, "test/cli/inventory.test.ts"],
  [/^postern ingest devices\.(ndjson|csv) --source scripts /, "test/cli/ingest.test.ts"],
  [/^postern device (bindings|bind|unbind|strangers) ?/, "test/cli/bindings.test.ts"],
  [
    /^(POSTERN_\w+=\S+ )*postern (serve|phone inbox --url http:\/\/127\.0\.0\.1:180[89]0) /,
    "test/docs/afternoon.test.ts",
  ],
  [/^postern device (set|why) PHONE[ABC] /, "test/docs/afternoon.test.ts"],
  [/^postern campaign (preview|apply) tiktok\.yaml /, "test/docs/afternoon.test.ts"],
  [/^postern campaign letters tiktok /, "test/docs/afternoon.test.ts"],
  [/^postern notice preview --file tiktok\.yaml /, "test/docs/afternoon.test.ts"],
  [/^sed -i .* tiktok\.yaml$/, "test/docs/afternoon.test.ts"],
  [/^curl -sf -H "Authorization: Bearer \$TOKEN" /, "test/docs/api.test.ts"],
  [/^postern token create --role viewer --for "nightly report" /, "test/cli/token.test.ts"],
  [/^redis-cli HSET postern:device:(MYPHONE1|APPLF1XK93ABCD) /, "test/docs/commands.test.ts"],
];

suite("the commands of the documents", () => {
  for (const file of [
    "README.md",
    "docs/quick-start.md",
    "docs/sogo.md",
    "docs/operations.md",
    "docs/audit.md",
    "docs/campaigns.md",
    "docs/afternoon.md",
    "docs/notices.md",
    "docs/api.md",
    "docs/self-service.md",
    "docs/inventory.md",
    "ARCHITECTURE.md",
    "docs/connectors/README.md",
    "docs/connectors/push.md",
  ]) {
    test(`are all exercised: ${file}`, () => {
      const commands = codeBlocks(read(file))
        .filter(({ language }) => language === "sh")
        .flatMap(({ lines }) => lines);
      for (const command of commands.map((line) => line.replace(/ # .*$/, "").trim()).filter((line) => line !== "")) {
        const by = exercised.find(([pattern]) => pattern.test(command))?.[1];
        assert.ok(by !== undefined, `nobody runs: ${command}`);
        assert.ok(existsSync(path.join(root, by)), by);
      }
    });
  }

  test("the quick start works from beginning to end, as it is written", async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const upstream = createMailServer({
      users: [
        {
          name: "alice",
          password: "alice-Pw-1",
          displayName: "Alice",
          messages: [{ from: "carol@corp.example", subject: "Real mail", text: "." }],
        },
      ],
    });
    const listening = await upstream.listen();
    t.after(() => listening.close());
    const folder = mkdtempSync(path.join(os.tmpdir(), "postern-docs-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const written =
      codeBlocks(read("docs/quick-start.md"))
        .find(({ language }) => language === "yaml")
        ?.lines.join("\n") ?? "";
    const file = path.join(folder, "postern.yaml");
    writeFileSync(
      file,
      written.replace("http://127.0.0.1:20080", listening.url).replace("redis://127.0.0.1:6379/0", redis.url),
    );
    const free = { POSTERN_MAIL_LISTEN: "127.0.0.1:0", POSTERN_ADMIN_LISTEN: "127.0.0.1:0" };
    assert.equal((await postern(t, ["config", "check", "--config", file])).stdout, "ok: 7 routes, 0 campaigns\n");
    assert.match((await postern(t, ["config", "show", "--config", file])).stdout, /organisation: Example Ltd/);
    const gate = await serving(t, ["--config", file], { env: free });

    const inbox = async (): Promise<string> => {
      const args = [
        "phone",
        "inbox",
        "--url",
        gate.mailUrl,
        "--user",
        "alice",
        "--device",
        "MYPHONE1",
        "--state",
        path.join(folder, "phone.json"),
      ];
      const { stdout, stderr, exitCode } = await postern(t, args, { env: { POSTERN_PHONE_PASSWORD: "alice-Pw-1" } });
      assert.equal(exitCode, 0, stderr);
      return stdout;
    };
    const type = async (line: string): Promise<void> => {
      await redis.cli(...line.replace("redis-cli ", "").split(" "));
    };
    const typed = codeBlocks(read("docs/quick-start.md"))
      .flatMap(({ lines }) => lines)
      .filter((line) => line.startsWith("redis-cli"));
    const [enrol = "", hold = "", release = ""] = typed;
    assert.match(await inbox(), /Set up your phone/);
    await type(enrol);
    assert.match(await inbox(), /Real mail/);
    await type(hold);
    assert.match(await inbox(), /Remove TikTok/);
    await type(release);
    assert.match(await inbox(), /Real mail/);

    const facts = [
      "device",
      "set",
      "MYPHONE1",
      "owner=alice",
      "platform=ios",
      "appsScope=all",
      "apps=com.zhiliaoapp.musically",
      "--config",
      file,
    ];
    assert.equal((await postern(t, facts)).exitCode, 0);
    assert.match(
      (await postern(t, ["device", "show", "MYPHONE1", "--config", file])).stdout,
      /com\.zhiliaoapp\.musically/,
    );
    const metrics = await (await fetch(`${gate.adminUrl}/metrics`)).text();
    const told = tableAfter(read("docs/operations.md"), "Metrics").map(([name = ""]) => name.replaceAll("`", ""));
    const real = [...metrics.matchAll(/^# TYPE (postern_\w+) /gm)].map(([, name = ""]) => name);
    assert.deepEqual(told.toSorted(), real.toSorted());
  });

  test("the campaigns that come with the program can be put in force as they are", async (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "postern-docs-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const config = path.join(folder, "postern.yaml");
    writeFileSync(config, "upstream: { url: http://mail.internal }\nstore: { embedded: postern.db }\n");
    for (const [index, name] of ["tiktok.yaml", "update.yaml"].entries()) {
      const file = path.join(root, "config/campaigns", name);
      const plan = await postern(t, ["campaign", "plan", file, "--config", config]);
      assert.match(plan.stdout, /^campaign [a-z-]+: added\n/, plan.stderr);
      const applied = await postern(t, ["campaign", "apply", file, "--why", "docs", "--yes", "--config", config]);
      assert.equal(applied.exitCode, 0, applied.stderr);
      assert.match(applied.stdout, new RegExp(`version ${index + 1} is in force`));
    }
  });

  test("the configuration of the README is a good one", async (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "postern-docs-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = path.join(folder, "postern.yaml");
    const lines = codeBlocks(read("README.md")).find(({ language }) => language === "yaml")?.lines ?? [];
    writeFileSync(file, lines.map((line) => line.replace(/^ {3}/, "")).join("\n"));
    const { exitCode, stdout, stderr } = await postern(t, ["config", "check", "--config", file]);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, "ok: 7 routes, 1 campaign\n");
  });

  test("what the page on EWS has of a configuration is good", async (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "postern-docs-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = path.join(folder, "postern.yaml");
    const [rest = ""] = codeBlocks(read("docs/quick-start.md"))
      .filter(({ language }) => language === "yaml")
      .map(({ lines }) => lines.join("\n"));
    const written = codeBlocks(read("docs/ews.md")).find(({ language }) => language === "yaml")?.lines ?? [];
    writeFileSync(file, [rest, ...written].join("\n"));
    const { exitCode, stdout, stderr } = await postern(t, ["config", "check", "--config", file]);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, "ok: 7 routes, 0 campaigns\n");
  });
});

test("every link between the documents leads to a file, and every file that they name is there", () => {
  for (const file of documents) {
    for (const [, target = ""] of read(file).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target)) continue;
      assert.ok(existsSync(path.join(root, path.dirname(file), target)), `${file} links to ${target}`);
    }
    for (const [, name = ""] of read(file).matchAll(
      /`((?:gateway|activesync|policy|store|config|notice|browser|test)\/[a-z0-9/.-]+\.ts)`/g,
    )) {
      assert.ok(existsSync(path.join(root, "src", name)) || existsSync(path.join(root, name)), `${file} names ${name}`);
    }
  }
});
