/** Management systems in the configuration: their keys by kind, their secrets and files, and what is wrong with them. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as z from "zod";
import { needs, restKeys, secretFileKey, secretKey, systemUrl } from "../../src/config/connector-parts.ts";
import { showConfig } from "../../src/config/show.ts";
import { aCertificate } from "../support/certificate.ts";
import { aConfigDirectory } from "../support/config-directory.ts";

const smallest = "upstream: { url: http://mail.internal }\n";
const key = "0123456789abcdef0123456789abcdef";

function withConnectors(...lines: readonly string[]): string {
  return `${smallest}inventory:\n  connectors:\n${lines.map((line) => `    - ${line}\n`).join("")}`;
}

suite("a connector", () => {
  test("is read with its secret, from a file beside the configuration too, and shown without it", (t) => {
    const directory = aConfigDirectory(
      t,
      withConnectors(
        `{ name: scripts, kind: push, secret: ${key} }`,
        "{ name: other, kind: push, secretFile: keys/other, deliveriesPerMinute: 5 }",
      ),
    );
    directory.write("keys/other", `${key}-other\n`);
    const config = directory.load();
    const [scripts, other] = config.inventory.connectors;
    assert.ok(scripts?.kind === "push" && other?.kind === "push");
    assert.deepEqual(config.inventory.listen, { host: "127.0.0.1", port: 8082 });
    assert.equal(scripts.secret?.reveal(), key);
    assert.equal(other.secret?.reveal(), `${key}-other`);
    assert.equal(scripts.deliveriesPerMinute, 600);
    assert.equal(other.deliveriesPerMinute, 5);
    const shown = showConfig(config);
    assert.ok(!shown.includes(key), shown);
    assert.match(shown, /secret: "\*\*\*" # /);
    assert.match(shown, /secretFile: \/.*keys\/other # /);
  });

  test("with TLS for its listener has both files tried out", (t) => {
    const { cert, key: privateKey } = aCertificate();
    const yaml = `${smallest}inventory:\n  listen: 127.0.0.1:0\n  tls: { cert: a.crt, key: a.key }\n`;
    const good = aConfigDirectory(t, yaml);
    good.write("a.crt", cert);
    good.write("a.key", privateKey);
    assert.equal(good.load().inventory.tls?.cert, cert);
    const bad = aConfigDirectory(t, yaml);
    bad.write("a.crt", cert);
    bad.write("a.key", aCertificate().key);
    assert.deepEqual(bad.faults(), ["postern.yaml:4:28 inventory.tls.key: is not the key of the certificate"]);
  });

  test("that is wrong is shown where it is wrong", (t) => {
    const faults = (...lines: readonly string[]): string[] => aConfigDirectory(t, withConnectors(...lines)).faults();
    // The kinds that there are grow.
    assert.match(
      faults(`{ name: a, kind: pusch, secret: ${key} }`).join("\n"),
      /^postern\.yaml:4:24 inventory\.connectors\[0\]\.kind: must be one of push\b.*; did you mean "push"\?$/,
    );
    assert.match(
      faults("{ name: a }").join("\n"),
      /^postern\.yaml:4:7 inventory\.connectors\[0\]\.kind: must be given: one of push\b.*$/,
    );
    assert.deepEqual(faults(`{ name: A, kind: push, secret: ${key} }`), [
      "postern.yaml:4:15 inventory.connectors[0].name: must be 1 to 64 lower-case letters, digits or hyphens",
    ]);
    assert.deepEqual(faults(`{ name: a, kind: push, secret: ${key}, deliveriesPerMinut: 5 }`), [
      'postern.yaml:4:72 inventory.connectors[0].deliveriesPerMinut: unknown key; did you mean "deliveriesPerMinute"?',
    ]);
    assert.deepEqual(faults("{ name: a, kind: push }"), [
      "postern.yaml:4:7 inventory.connectors[0].secret: must be given, or secretFile, or jwt",
    ]);
    assert.deepEqual(faults(`{ name: a, kind: push, secret: ${key.slice(1)} }`), [
      "postern.yaml:4:38 inventory.connectors[0].secret: must have at least 32 characters, and should be random: openssl rand -hex 32",
    ]);
    assert.deepEqual(faults(`{ name: a, kind: push, secret: ${key} }`, `{ name: a, kind: push, secret: ${key} }`), [
      "postern.yaml:5:15 inventory.connectors[1].name: is the name of connectors[0] too",
    ]);
    assert.deepEqual(faults("{ name: a, kind: push, secretFile: nowhere }").length, 1);
    assert.deepEqual(faults(`{ name: a, kind: push, secret: ${key}, jwt: { issuer: i, audience: a } }`), [
      "postern.yaml:4:77 inventory.connectors[0].jwt: must have jwksUrl or jwksFile, and not both",
    ]);
  });

  test("to Intune and to Jamf Pro is read with what is usual there", (t) => {
    const directory = aConfigDirectory(
      t,
      withConnectors(
        "{ name: intune, kind: intune, tenant: corp.example, clientId: app, clientSecret: s3cret }",
        "{ name: jamf, kind: jamf, url: https://corp.jamfcloud.com, clientId: app, clientSecretFile: j, webhook: { header: X-Postern, value: v } }",
      ),
    );
    directory.write("j", "the-jamf-secret\n");
    const config = directory.load();
    const [intune, jamf] = config.inventory.connectors;
    assert.ok(intune?.kind === "intune" && jamf?.kind === "jamf");
    assert.deepEqual([intune.graphUrl.href, intune.concurrentRequests], ["https://graph.microsoft.com/", 4]);
    assert.deepEqual([jamf.clientSecret?.reveal(), jamf.webhook?.header], ["the-jamf-secret", "x-postern"]);
    assert.equal(jamf.concurrentRequests, 5);
    const shown = showConfig(config);
    for (const secret of ["s3cret", "the-jamf-secret", "value: v"]) assert.ok(!shown.includes(secret), shown);
  });

  test("to Jamf Pro shows who sends webhooks in one way, and asks for five things at once at most", (t) => {
    const faults = (more: string): string[] =>
      aConfigDirectory(
        t,
        withConnectors(`{ name: jamf, kind: jamf, url: https://j.example, clientId: a, clientSecret: b, ${more} }`),
      ).faults();
    for (const webhook of [
      "{}",
      "{ header: X }",
      "{ header: X, value: v, username: u, password: p }",
      "{ header: X, password: p }",
    ])
      assert.match(
        faults(`webhook: ${webhook}`).join(),
        /webhook: must have header and value, or username and password$/,
        webhook,
      );
    assert.deepEqual(faults("webhook: { username: u, password: p }"), []);
    assert.match(faults('webhook: { header: "X Y", value: v }').join(), /must be the name of a header/);
    assert.deepEqual(faults("concurrentRequests: 5"), []);
    assert.match(faults("concurrentRequests: 6").join(), /concurrentRequests/);
  });

  test("listens on an address of its own", (t) => {
    const yaml = `${smallest}inventory: { listen: "127.0.0.1:8081" }\n`;
    assert.deepEqual(aConfigDirectory(t, yaml).faults(), [
      "postern.yaml:2:22 inventory.listen: is the address of another listener too",
    ]);
  });
});

suite("the keys that all pulling connectors share", () => {
  const schema = z
    .strictObject({
      url: systemUrl("Where it is.", ["https://mdm.corp.example"]),
      clientSecret: secretKey("The secret."),
      clientSecretFile: secretFileKey("clientSecret"),
      ...restKeys({ every: "15m", fullEvery: "1d", requestsPerMinute: 100, concurrent: { byDefault: 2, most: 5 } }),
    })
    .check(needs("clientSecret"));
  const given = { url: "https://mdm.corp.example/api", clientSecret: "geheim" };

  test("have what is usual for the kind, in minutes", () => {
    const { every, fullEvery, requestsPerMinute, concurrentRequests, timeoutSeconds, clientSecret } =
      schema.parse(given);
    assert.deepEqual([every, fullEvery, requestsPerMinute, concurrentRequests, timeoutSeconds], [15, 1440, 100, 2, 60]);
    assert.equal(clientSecret?.reveal(), "geheim");
  });

  test("have bounds, and need their secret", () => {
    const problems = (more: object): string[] =>
      (schema.safeParse({ ...given, ...more }).error?.issues ?? []).map(
        ({ path, message }) => `${path.join(".")}: ${message}`,
      );
    assert.deepEqual(problems({ clientSecret: undefined }), ["clientSecret: must be given, or clientSecretFile"]);
    assert.deepEqual(problems({ concurrentRequests: 5, every: "7d", requestsPerMinute: 100_000 }), []);
    assert.equal(problems({ concurrentRequests: 6 }).length, 1);
    assert.equal(problems({ every: "8d" }).length, 1);
    assert.equal(problems({ requestsPerMinute: 0 }).length, 1);
    assert.equal(problems({ url: "https://user:password@mdm.corp.example" }).length, 1);
  });
});
