/** `postern serve` and `postern health`: how the program starts, what it says, and how it ends. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createMailServer } from "../../src/demo/mail-server.ts";
import { createPhone } from "../../src/phone/phone.ts";
import { aliceAndBob } from "../support/gate.ts";
import { aConfigDirectory } from "../support/config-directory.ts";
import type { ConfigDirectory } from "../support/config-directory.ts";
import { eventually } from "../support/eventually.ts";
import { postern, serving, startPostern } from "../support/postern.ts";
import { freePort } from "../support/redis-server.ts";

const patienceMs = 20_000;

async function aMailServer(t: TestContext): Promise<{ server: ReturnType<typeof createMailServer>; url: string }> {
  const server = createMailServer({ users: aliceAndBob, seed: "test" });
  const { url, close } = await server.listen();
  t.after(close);
  return { server, url };
}

function configured(t: TestContext, upstream: string, more = ""): ConfigDirectory {
  return aConfigDirectory(
    t,
    `mail: { listen: "127.0.0.1:0" }
admin: { listen: "127.0.0.1:0" }
upstream: { url: "${upstream}" }
${more}`,
  );
}

suite("postern serve", { concurrency: 4 }, () => {
  test("says one line, logs elsewhere, makes its secret, and ends with 0 on SIGTERM", async (t) => {
    const { url } = await aMailServer(t);
    const { file, path: folder } = configured(t, url);
    const gate = await serving(t, ["--config", file]);

    const health = await postern(t, ["health", "--url", gate.adminUrl]);
    assert.equal(health.exitCode, 0, health.stderr);
    assert.match(health.stdout, /"state":"ready"/);

    gate.signal("SIGTERM");
    const { exitCode, stdout, stderr } = await gate.finished;
    assert.equal(exitCode, 0);
    assert.equal(stdout, `postern: mail ${gate.mailUrl}  admin ${gate.adminUrl}\n`);
    for (const line of stderr.trimEnd().split("\n")) assert.doesNotThrow(() => JSON.parse(line), line);
    assert.match(stderr, /"event":"made a new installation secret/);
    assert.ok(existsSync(path.join(folder, "secrets/installation")));
    assert.ok(existsSync(path.join(folder, "data/postern.db")));
  });

  test("ends with 0 on SIGINT too", async (t) => {
    const { url } = await aMailServer(t);
    const gate = await serving(t, ["-c", configured(t, url).file]);
    gate.signal("SIGINT");
    assert.equal((await gate.finished).exitCode, 0);
  });

  test("drains on SIGTERM: no new connections, a request under way is answered, a Ping that waits is ended", async (t) => {
    const { server, url } = await aMailServer(t);
    const { file } = configured(t, url);
    const set = await postern(t, ["device", "set", "PHONEA", "compliance=noncompliant", "--config", file]);
    assert.equal(set.exitCode, 0, set.stderr);
    const gate = await serving(t, ["--config", file]);
    const phone = createPhone({ url: gate.mailUrl, user: "alice", password: "alice-Pw-1", deviceId: "PHONEA" });
    t.after(() => phone.close());
    assert.equal((await phone.refresh()).kind, "ok");
    assert.equal(phone.inbox().length, 1);
    const waiting = phone.ping(480);
    await eventually(async () => {
      const metrics = await (await fetch(`${gate.adminUrl}/metrics`)).text();
      assert.match(metrics, /^postern_waiting_requests 1$/m);
    }, patienceMs);

    gate.signal("SIGTERM");
    assert.equal((await waiting).kind, "expired");
    const { exitCode, stderr } = await gate.finished;
    assert.equal(exitCode, 0);
    assert.match(stderr, /"event":"stopping"/);
    await assert.rejects(fetch(gate.mailUrl));
    assert.ok(server.journal().length > 0);
  });

  test("ends with 1 where a port is taken, and says which", async (t) => {
    const taken = net.createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, "127.0.0.1", () => {
        const address = taken.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    t.after(() => taken.close());
    const { file } = configured(t, "http://mail.internal");
    for (const key of ["POSTERN_MAIL_LISTEN", "POSTERN_ADMIN_LISTEN"]) {
      const { exitCode, stdout, stderr } = await postern(t, ["serve", "--config", file], {
        env: { [key]: `127.0.0.1:${port}` },
      });
      assert.equal(exitCode, 1, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, new RegExp(`cannot listen: .*127\\.0\\.0\\.1:${port}`));
    }
  });

  test("ends with 3 for a bad configuration before a port opens or a file is made", async (t) => {
    const port = await freePort();
    const { file, path: folder } = aConfigDirectory(
      t,
      `mail: { listen: "127.0.0.1:${port}" }\nupstream: { url: http://mail.internal }\ncampaign: []\n`,
    );
    let opened = false;
    const looking = setInterval(() => {
      const socket = net.connect(port, "127.0.0.1");
      socket.once("connect", () => {
        opened = true;
        socket.destroy();
      });
      socket.once("error", () => {});
    }, 20);
    const { exitCode, stderr } = await postern(t, ["serve", "--config", file]);
    clearInterval(looking);
    assert.equal(exitCode, 3);
    assert.match(stderr, /postern\.yaml:3:1 campaign: .*campaigns/);
    assert.equal(opened, false);
    assert.equal(existsSync(path.join(folder, "secrets")), false);
    assert.equal(existsSync(path.join(folder, "data")), false);
  });

  test("ends with 3 for an installation secret that everybody can read", async (t) => {
    const directory = configured(t, "http://mail.internal");
    directory.write("secrets/installation", "0123456789abcdefghijklmnopqrstuvwxyz", 0o644);
    const { exitCode, stderr } = await postern(t, ["serve", "--config", directory.file]);
    assert.equal(exitCode, 3);
    assert.match(stderr, /secret\.file: is open to every user/);
    assert.doesNotMatch(stderr, /0123456789/);
  });

  test("starts while Redis is away, says that it is not ready, and becomes ready with it", async (t) => {
    const { url } = await aMailServer(t);
    const { file } = configured(t, url, `store: { redis: "redis://127.0.0.1:${await freePort()}" }\n`);
    const gate = await serving(t, ["--config", file]);
    const { exitCode, stderr } = await postern(t, ["health", "--url", gate.adminUrl]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /"state":"not-ready"/);
    assert.equal((await fetch(`${gate.adminUrl}/livez`)).status, 200);
    gate.signal("SIGTERM");
    assert.equal((await gate.finished).exitCode, 0);
  });
});

suite("postern health", { concurrency: 4 }, () => {
  test("finds the admin listener by the configuration", async (t) => {
    const { url } = await aMailServer(t);
    const port = await freePort();
    const { file } = aConfigDirectory(
      t,
      `mail: { listen: "127.0.0.1:0" }\nadmin: { listen: "127.0.0.1:${port}" }\nupstream: { url: "${url}" }\n`,
    );
    await serving(t, ["--config", file]);
    const { exitCode, stdout } = await postern(t, ["health", "--config", file]);
    assert.equal(exitCode, 0);
    assert.match(stdout, /"ready":true/);
  });

  test("ends with 4 where nothing answers", async (t) => {
    const { exitCode, stderr } = await postern(t, ["health", "--url", `http://127.0.0.1:${await freePort()}`]);
    assert.equal(exitCode, 4);
    assert.match(stderr, /^nothing answers at http:/);
  });

  test("ends with 2 where the port is any free one", async (t) => {
    const { exitCode, stderr } = await postern(t, ["health", "--config", configured(t, "http://mail.internal").file]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /--url/);
  });
});

test("postern phone ends with 4 where no server is, and with 2 without a password", async (t) => {
  const args = ["phone", "inbox", "--url", `http://127.0.0.1:${await freePort()}`, "--user", "alice", "--device", "A1"];
  const [nobody, noPassword] = await Promise.all([
    postern(t, args, { env: { POSTERN_PHONE_PASSWORD: "x" } }),
    startPostern(t, args).finished,
  ]);
  assert.equal(nobody.exitCode, 4, nobody.stderr);
  assert.equal(noPassword.exitCode, 2, noPassword.stderr);
});
