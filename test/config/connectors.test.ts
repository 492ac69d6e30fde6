/** Management systems in the configuration: their keys by kind, their secrets and files, and what is wrong with them. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
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
    assert.deepEqual(config.inventory.listen, { host: "127.0.0.1", port: 8082 });
    assert.equal(scripts?.secret?.reveal(), key);
    assert.equal(other?.secret?.reveal(), `${key}-other`);
    assert.equal(scripts?.deliveriesPerMinute, 600);
    assert.equal(other?.deliveriesPerMinute, 5);
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
    assert.deepEqual(faults(`{ name: a, kind: pusch, secret: ${key} }`), [
      'postern.yaml:4:24 inventory.connectors[0].kind: must be one of push; did you mean "push"?',
    ]);
    assert.deepEqual(faults("{ name: a }"), [
      "postern.yaml:4:7 inventory.connectors[0].kind: must be given: one of push",
    ]);
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
      "postern.yaml:4:78 inventory.connectors[0].jwt: must have jwksUrl or jwksFile, and not both",
    ]);
  });

  test("listens on an address of its own", (t) => {
    const yaml = `${smallest}inventory: { listen: "127.0.0.1:8081" }\n`;
    assert.deepEqual(aConfigDirectory(t, yaml).faults(), [
      "postern.yaml:2:22 inventory.listen: is the address of another listener too",
    ]);
  });
});
