import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { openInstallationSecret } from "../../src/config/secret.ts";
import { aConfigDirectory } from "../support/config-directory.ts";

const smallest = "upstream: { url: http://mail.internal }\n";
const strong = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";

test("the first start makes the secret, for its owner alone, and every later one finds it", (t) => {
  const { file } = aConfigDirectory(t, smallest).load().secret;
  const first = openInstallationSecret(file);
  assert.ok(first.ok);
  assert.equal(first.value.created, true);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(path.dirname(file)).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(path.dirname(file)), ["installation"]);
  assert.equal(Buffer.from(readFileSync(file, "ascii"), "base64url").length, 32);

  const second = openInstallationSecret(file);
  assert.ok(second.ok);
  assert.equal(second.value.created, false);
  assert.deepEqual(second.value.secret.reveal(), first.value.secret.reveal());
});

test("two installations never have the same secret", (t) => {
  const made = [1, 2].map(() => openInstallationSecret(aConfigDirectory(t, smallest).load().secret.file));
  const [one, other] = made.map((reading) => (reading.ok ? reading.value.secret.reveal() : undefined));
  assert.notDeepEqual(one, other);
});

test("checking a configuration makes nothing", (t) => {
  const directory = aConfigDirectory(t, smallest);
  const { secret, store } = directory.load();
  assert.equal(existsSync(secret.file), false);
  assert.equal(store.kind === "embedded" && existsSync(path.dirname(store.file)), false);
});

test("text and binary material are both taken, and a line end is part of neither text", (t) => {
  const directory = aConfigDirectory(t, smallest);
  const reveal = (contents: string | Uint8Array): Uint8Array => {
    const reading = openInstallationSecret(directory.write("secret", contents));
    assert.ok(reading.ok);
    return reading.value.secret.reveal();
  };
  assert.deepEqual(reveal(strong), reveal(`${strong}\r\n`));
  const binary = Uint8Array.from({ length: 32 }, (_, index) => (index === 31 ? 10 : 200 + index));
  assert.deepEqual(reveal(binary), binary);
});

const refused: readonly (readonly [title: string, contents: string | Uint8Array, mode: number, problem: RegExp])[] = [
  ["31 bytes", strong.slice(0, 31), 0o600, /^is too short/],
  ["31 bytes and a line end", `${strong.slice(0, 31)}\n`, 0o600, /^is too short/],
  ["nothing", "", 0o600, /^is too short/],
  ["one word over and over", "changeme".repeat(8), 0o600, /^is not random/],
  ["zeros", new Uint8Array(64), 0o600, /^is not random/],
  ["more than anybody's generator writes", strong.repeat(100), 0o600, /^is larger than 4 KiB/],
  ["a file that everybody can read", strong, 0o644, /^is open to every user/],
  ["a file that everybody can write", strong, 0o602, /^is open to every user/],
  ["a file that its group can write", strong, 0o660, /^can be written by its group/],
];

for (const [title, contents, mode, problem] of refused) {
  test(`a secret that protects nothing is a fault of the configuration: ${title}`, (t) => {
    const directory = aConfigDirectory(t, `${smallest}secret: { file: installation }\n`);
    // The mode of `writeFile` goes through the umask; this one does not.
    chmodSync(directory.write("installation", contents), mode);
    const [fault, ...others] = directory.faults();
    assert.match(fault?.replace("postern.yaml:2:17 secret.file: ", "") ?? "", problem);
    assert.deepEqual(others, []);
    const reading = openInstallationSecret(path.join(directory.path, "installation"));
    assert.match(reading.ok ? "" : reading.problem, problem);
  });
}

test("32 bytes are enough, and a group may read them, as Kubernetes mounts them", (t) => {
  const directory = aConfigDirectory(t, `${smallest}secret: { file: installation }\n`);
  const file = directory.write("installation", strong.slice(0, 32));
  chmodSync(file, 0o440);
  assert.deepEqual(directory.faults(), []);
  assert.equal(openInstallationSecret(file).ok, true);
});

test("where a secret cannot be made, the reason is said and nothing is left behind", (t) => {
  const directory = aConfigDirectory(t, smallest);
  const blocked = openInstallationSecret(path.join(directory.write("file", ""), "installation"));
  assert.equal(blocked.ok, false);
  assert.deepEqual(openInstallationSecret(directory.path), { ok: false, problem: "is a directory" });
});

test("the secret before is read where it is named, and has to be there and to be one", (t) => {
  const named = `${smallest}secret: { file: now, previousFile: before }\n`;
  const directory = aConfigDirectory(t, named);
  const path = "postern.yaml:2:36 secret.previousFile: ";
  assert.deepEqual(directory.faults(), [`${path}does not exist`]);
  assert.equal(existsSync(`${directory.path}/before`), false, "nobody makes it");
  directory.write("before", "short");
  assert.match(directory.faults().join(), /secret\.previousFile: is too short/);
  directory.write("before", Buffer.from(Array.from({ length: 32 }, (_, index) => 200 + index)));
  assert.equal(directory.load().secret.previous?.reveal()[0], 200);
  assert.equal(aConfigDirectory(t, smallest).load().secret.previous, undefined);
});
