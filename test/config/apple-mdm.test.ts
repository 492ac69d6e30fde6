/** NanoMDM and MicroMDM in the configuration, and the connectors that come of it. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { micromdm, nanomdm } from "../../src/config/apple-mdm-schema.ts";
import { openConnector } from "../../src/connectors/registry.ts";
import { freeAdmission } from "../../src/connectors/rest/admission.ts";
import type { Connector, ConnectorContext } from "../../src/inventory/connector.ts";
import { aSharedMemory } from "../support/apple-mdm-site.ts";
import { aConfigDirectory } from "../support/config-directory.ts";
import { startFakeAppleMdm } from "../support/fake-apple-mdm.ts";
import { codeBlocks } from "../support/markdown.ts";
import { aSimulatedIphone } from "../support/simulated-iphone.ts";

const path = "0123456789abcdef0123456789abcdef";
const context: ConnectorContext = {
  signal: new AbortController().signal,
  appIds: () => ["com.zhiliaoapp.musically"],
  now: () => new Date(),
};

const yaml = (...lines: readonly string[]): string =>
  `upstream: { url: http://mail.internal }\ninventory:\n  connectors:\n${lines.map((line) => `    - ${line}\n`).join("")}`;

suite("docs/connectors/nanomdm.md", () => {
  const page = readFileSync(new URL("../../docs/connectors/nanomdm.md", import.meta.url), "utf8");

  test("has a configuration that loads", (t) => {
    const written = codeBlocks(page).find(({ language }) => language === "yaml");
    const directory = aConfigDirectory(t, written?.lines.join("\n") ?? "");
    for (const name of page.matchAll(/secrets\/([\w-]+)/g)) directory.write(`secrets/${name[1]}`, `${path}\n`);
    assert.deepEqual(
      directory.load().inventory.connectors.map(({ name, kind }) => [name, kind]),
      [
        ["mdm", "nanomdm"],
        ["old-mdm", "micromdm"],
      ],
    );
  });

  test("names every key", () => {
    const keys = new Set([nanomdm, micromdm].flatMap(({ shape }) => Object.keys(shape)));
    const unnamed = [...keys].filter((key) => !page.includes(`\`${key}\``) && !page.includes(`${key}: `));
    assert.deepEqual(unnamed, []);
  });
});

suite("what is written", () => {
  test("opens a connector that reaches its server, and is reached by its webhook", async (t) => {
    const nano = await startFakeAppleMdm({ kind: "nanomdm", apiKey: "key-of-nano" });
    const micro = await startFakeAppleMdm({ kind: "micromdm", apiKey: "key-of-micro" });
    const directory = aConfigDirectory(
      t,
      yaml(
        `{ name: nano, kind: nanomdm, url: "${nano.server.url}", apiKeyFile: key, webhookKey: the-old-key-of-16, nextWebhookKey: the-new-key-of-16, apps: asked-only }`,
        `{ name: micro, kind: micromdm, url: "${micro.server.url}", apiKey: key-of-micro, webhookPath: ${path}, ownerParameter: user }`,
        `{ name: hub, kind: nanomdm, url: "${nano.server.url}/v1/", apiKeyFile: key, webhookPath: ${path} }`,
      ),
    );
    directory.write("key", "key-of-nano\n");
    const opened = directory.load().inventory.connectors.map((config) =>
      openConnector(config, {
        now: context.now,
        admission: freeAdmission,
        ...aSharedMemory(context.now),
        onRecordingFailure: assert.ifError,
      }),
    );
    t.after(async () => {
      for (const each of opened) each.close();
      await nano.close();
      await micro.close();
    });

    const phone = aSimulatedIphone({ urlParameters: { user: "anna@corp.example" } });
    for (const fake of [nano, micro]) fake.knows(phone);
    for (const { connector } of opened) {
      await connector.health(context);
      await connector.refresh?.(phone.udid, context);
    }
    assert.deepEqual(
      opened.map(({ connector: { source, kind } }) => [source, kind]),
      [
        ["nano", "nanomdm"],
        ["micro", "micromdm"],
        ["hub", "nanomdm"],
      ],
    );
    // The one is asked about single apps only: two commands, and three of each other.
    assert.deepEqual(
      [nano, micro].map((fake) => fake.commandsOf(phone.udid).length),
      [2 + 3, 3],
    );

    const { body } = micro.event("mdm.TokenUpdate", phone, { raw_payload: "", token_update_tally: 1 });
    const heard = async (connector: Connector | undefined, path_: string, key?: string): Promise<unknown> => {
      const signature = key === undefined ? [] : [createHmac("sha256", key).update(body).digest("base64")];
      const received = await connector?.receiver?.receive(
        {
          method: "POST",
          path: path_,
          headers: new Map(signature.map((each) => ["x-hmac-signature", each])),
          body: Buffer.from(body),
        },
        context,
      );
      return received?.reports[0]?.owner?.email ?? received?.answer([]).httpStatus;
    };
    const [first, second, third] = opened.map(({ connector }) => connector);
    assert.equal(await heard(first, "", "the-old-key-of-16"), 200);
    assert.equal(await heard(first, "", "the-new-key-of-16"), 200);
    assert.equal(await heard(first, "", "the-next-key-of-16"), 401);
    assert.equal(await heard(second, `/${path}`), "anna@corp.example");
    assert.equal(await heard(second, ""), 401);
    assert.equal(await heard(third, `/${path}`), 200);
  });

  test("that is wrong is shown where it is wrong", (t) => {
    const faults = (line: string): string[] =>
      aConfigDirectory(t, yaml(line))
        .faults()
        .map((fault) => fault.replace(/^postern\.yaml:\d+:\d+ inventory\.connectors\[0\]\.?/, ""));
    const nano = "name: a, kind: nanomdm, url: http://mdm.internal";
    const micro = "name: a, kind: micromdm, url: http://mdm.internal";
    assert.deepEqual(faults(`{ ${nano}, webhookKey: 0123456789abcdef }`), ["apiKey: must be given, or apiKeyFile"]);
    assert.deepEqual(faults(`{ ${nano}, apiKey: x }`), [
      "webhookKey: must be given, or webhookKeyFile, or webhookPath where it is too old to sign",
    ]);
    assert.deepEqual(faults(`{ ${nano}, apiKey: x, webhookKey: 0123456789abcde }`), [
      "webhookKey: must have at least 16 characters: openssl rand -hex 32",
    ]);
    assert.deepEqual(faults(`{ ${micro}, apiKey: x }`), ["webhookPath: must be given, or webhookPathFile"]);
    for (const wrong of [path.slice(1), `${path.slice(1)}A`, `${path.slice(1)}/`, path.repeat(4) + "0"])
      assert.deepEqual(faults(`{ ${micro}, apiKey: x, webhookPath: "${wrong}" }`), [
        "webhookPath: must be 32 to 128 of a-z and 0-9: openssl rand -hex 32",
      ]);
    assert.deepEqual(faults(`{ ${micro}, apiKey: x, webhookPath: ${path.repeat(4)} }`), []);
    assert.equal(faults(`{ ${micro}, apiKey: x, webhookPath: ${path}, webhookKey: x }`).length, 1);
    assert.equal(faults(`{ ${nano}, apiKey: x, webhookKey: 0123456789abcdef, apps: none }`).length, 1);
  });
});
