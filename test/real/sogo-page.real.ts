/** The configurations of docs/sogo.md, as they stand there: two of nginx and one of the gate, before a real SOGo. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import https from "node:https";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createPhone, type Phone } from "../../src/phone/phone.ts";
import { codeBlocks } from "../support/markdown.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { userAgents } from "./support/browser.ts";
import { startNginxWith } from "./support/nginx.ts";
import { DOMAIN, people } from "./support/people.ts";
import { openScratch, type Scratch } from "./support/scratch.ts";
import { seededSubjects } from "./support/seed.ts";
import { type Sogo, startSogo } from "./support/sogo.ts";
import { subjects, succeeded } from "./support/stage.ts";

const page = fileURLToPath(new URL("../../docs/sogo.md", import.meta.url));
const program = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

suite("SOGo behind the gate, as the page on it says", () => {
  let scratch: Scratch;
  let sogo: Sogo;
  let redis: RedisServer;
  let phone: Phone;
  let port: number;
  let ca: string;

  before(async () => {
    scratch = await openScratch("page");
    sogo = await startSogo();
    redis = await startRedis("--dir", scratch.directory);
    ca = await readFile(sogo.certificateFile, "utf8");
    port = await scratch.claimPort();
    const [gatePort, innerPort] = [await scratch.claimPort(), await scratch.claimPort()];
    const here: readonly (readonly [written: string, here: string])[] = [
      ["listen 443 ssl", `listen 127.0.0.1:${port} ssl`],
      ["https://mail.corp.example", `https://localhost:${port}`],
      ["/etc/ssl/certs/mail.corp.example.pem", sogo.certificateFile],
      ["/etc/ssl/private/mail.corp.example.key", sogo.certificateKeyFile],
      ["mail.corp.example", "localhost"],
      ["corp.example", DOMAIN],
      ["127.0.0.1:8080", `127.0.0.1:${gatePort}`],
      ["127.0.0.1:20080", `127.0.0.1:${innerPort}`],
      ["http://127.0.0.1:20000", sogo.directUrl],
      ["redis://127.0.0.1:6379/0", redis.url],
    ];
    const blocks = codeBlocks(await readFile(page, "utf8"));
    const configurations = (language: string): string[] =>
      blocks
        .filter((block) => block.language === language)
        .map(({ lines }) => here.reduce((text, [written, now]) => text.replaceAll(written, now), lines.join("\n")));
    const [outer = "", inner = "", ...others] = configurations("nginx");
    const [gate = ""] = configurations("yaml");
    assert.deepEqual(others, []);
    await startNginxWith(scratch, inner, innerPort);
    const file = `${scratch.directory}/postern.yaml`;
    await writeFile(file, gate);
    await scratch.launch({
      name: "postern",
      command: process.execPath,
      args: [program, "serve", "--config", file],
      env: { POSTERN_ADMIN_LISTEN: "127.0.0.1:0", POSTERN_SECRET_FILE: `${scratch.directory}/secret` },
      isReady: async () => /^postern: mail /m.test(await scratch.output("postern")),
    });
    await startNginxWith(scratch, outer, port);
    const { name: user, password } = people.alice;
    phone = createPhone({ url: `https://localhost:${port}`, user, password, deviceId: "MYPHONE1", ca });
  });
  after(async () => {
    phone.close();
    await scratch.close();
    await redis.stop();
    await sogo.stop();
  });

  test("a phone is held, has its mail when it is reported, and is told of new mail", async () => {
    succeeded(await phone.refresh());
    assert.equal(phone.inbox().length, 1);
    await redis.cli("HSET", "postern:device:MYPHONE1", "owner", "alice", "compliance", "compliant");
    succeeded(await phone.refresh());
    succeeded(await phone.refresh());
    assert.deepEqual(subjects(phone), seededSubjects.toReversed());
    succeeded(await phone.send({ to: people.alice.address, subject: "To myself", text: "." }));
    assert.equal((await phone.ping(60)).kind, "changes");
    succeeded(await phone.refresh());
    assert.equal(subjects(phone)[0], "To myself");
  });

  test("a computer's browser logs in to webmail, and is sent to https and nowhere else", async () => {
    const start = await ask("/");
    assert.deepEqual([start.httpStatus, start.location], [302, `https://localhost/SOGo/`]);
    const login = await ask("/SOGo/");
    assert.match(login.text, /LoginController/);
    assert.doesNotMatch(login.text, /http:\/\/(localhost|127)/);
    const body = JSON.stringify({ userName: "alice", password: people.alice.password, domain: null, rememberLogin: 0 });
    const logged = await ask("/SOGo/connect", { method: "POST", body });
    assert.match(logged.text, /"cn"/);
    const home = await ask("/SOGo/so/alice", { cookie: logged.cookie });
    assert.equal(home.httpStatus, 302);
    assert.match(home.location ?? "", new RegExp(`^(?:https://localhost:${port})?/SOGo/`));
    assert.equal((await ask("/SOGo/WebServerResources/css/styles.css")).httpStatus, 200);
  });

  test("a phone's browser is shown a page, and what leads past the gate is not there", async () => {
    const shown = await ask("/SOGo/", { userAgent: userAgents.phone });
    assert.deepEqual([shown.httpStatus, /LoginController/.test(shown.text)], [403, false]);
    for (const path of ["/SOGo/dav/alice/Calendar/", "/SOGo/Microsoft-Server-ActiveSync", "/SOGo.woa/dav/alice/", "/x"])
      assert.equal((await ask(path)).httpStatus, 404, path);
  });

  interface Wish {
    readonly method?: string;
    readonly body?: string;
    readonly cookie?: string;
    readonly userAgent?: string;
  }

  interface Page {
    readonly httpStatus: number | undefined;
    readonly location: string | undefined;
    readonly cookie: string;
    readonly text: string;
  }

  function ask(path: string, { method = "GET", body, cookie, userAgent = userAgents.laptop }: Wish = {}) {
    return new Promise<Page>((resolve, reject) => {
      const headers = {
        "User-Agent": userAgent,
        ...(cookie === undefined ? {} : { Cookie: cookie }),
        ...(body === undefined
          ? {}
          : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) }),
      };
      const request = https.request(
        `https://localhost:${port}${path}`,
        { method, headers, ca, agent: false },
        (answer) => {
          let text = "";
          answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
          const cookies = (answer.headers["set-cookie"] ?? []).map((each) => each.split(";", 1)[0]);
          const { location } = answer.headers;
          answer.on("end", () =>
            resolve({ httpStatus: answer.statusCode, location, cookie: cookies.join("; "), text }),
          );
        },
      );
      request.on("error", reject);
      request.end(body);
    });
  }
});
