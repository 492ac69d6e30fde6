import assert from "node:assert/strict";
import { test } from "node:test";
import { aConfigDirectory } from "../support/config-directory.ts";

const smallest = "upstream: { url: http://mail.internal }\n";

function bomb(levels: number): string {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level <= levels; level++) {
    const aliases = Array.from({ length: 9 }, () => `*a${level - 1}`).join(", ");
    lines.push(`a${level}: &a${level} [${aliases}]`);
  }
  return `${lines.join("\n")}\n`;
}

const alias = "aliases are not used here; write it out, and put text that begins with * in quotes";
const anchor = "anchors are not used here; put text that begins with & in quotes";
const tag = "tags are not used here; put text that begins with ! in quotes";
const unreadable = "cannot be read from here on; text that begins with one of [ { @ ` % * & ! goes in quotes";

const files: readonly (readonly [title: string, yaml: string | Uint8Array, faults: readonly string[]])[] = [
  ["an anchor", `${smallest}log: &x { level: info }\n`, [`postern.yaml:2:9 log: ${anchor}`]],
  ["an alias", `${smallest}log: { level: *x }\n`, [`postern.yaml:2:15 log.level: ${alias}`]],
  [
    "a merge key",
    `${smallest}log: &x { level: info }\nadmin: { <<: *x }\n`,
    [`postern.yaml:2:9 log: ${anchor}`, `postern.yaml:3:14 admin.…: ${alias}`],
  ],
  ["a tag", `${smallest}log: { level: !!binary aW5mbw== }\n`, [`postern.yaml:2:24 log.level: ${tag}`]],
  ["a tag of somebody's own", `${smallest}log: !env { level: info }\n`, [`postern.yaml:2:11 log: ${tag}`]],
  [
    "keys that are properties of every object",
    `${smallest}__proto__: { listen: x }\nconstructor: 1\ntoString: 2\nmail: { __proto__: { listen: "x" }, hasOwnProperty: 1 }\n`,
    [
      "postern.yaml:2:1 __proto__: unknown key",
      "postern.yaml:3:1 constructor: unknown key",
      "postern.yaml:4:1 toString: unknown key",
      "postern.yaml:5:9 mail.__proto__: unknown key",
      "postern.yaml:5:37 mail.hasOwnProperty: unknown key",
    ],
  ],
  [
    "the same key twice, at any depth",
    `${smallest}mail:\n  hosts: []\n  hosts: [a.example]\nupstream: { url: http://b }\n`,
    [
      "postern.yaml:4:3 mail.hosts: stands here a second time; the first is on line 3",
      "postern.yaml:5:1 upstream: stands here a second time; the first is on line 1",
    ],
  ],
  [
    "keys that are no words",
    `${smallest}? [a, b]\n: 1\n1: 2\ntrue: 3\n: 4\n"a b": 5\n`,
    [
      "postern.yaml:2:3 …: is a key that is no plain word",
      "postern.yaml:4:1 …: unknown key",
      "postern.yaml:5:1 true: unknown key",
      "postern.yaml:6:1 …: is a key that is no plain word",
      "postern.yaml:7:1 …: unknown key",
    ],
  ],
  [
    "a tab for indentation",
    `${smallest}log:\n\tlevel: info\n`,
    ["postern.yaml:3:1 tabs cannot indent YAML; use spaces"],
  ],
  ["a quote that is not closed", 'upstream: { url: "http://a }\n', []],
  ["an IPv6 address without quotes", `${smallest}mail:\n  listen: [::1]:80\n`, [`postern.yaml:3:16 ${unreadable}`]],
  ["a reserved character", `${smallest}log: { level: @x }\n`, []],
  [
    "two documents",
    `${smallest}---\n${smallest}`,
    ["postern.yaml:2:1 a second document begins here; the configuration is one document"],
  ],
  [
    "YAML 1.1, in which `no` is a boolean",
    `%YAML 1.1\n---\n${smallest}`,
    ["postern.yaml:1:1 is written for another version of YAML, in which words such as yes and no are not text"],
  ],
  ["a list", "- upstream\n", ["postern.yaml:1:1 must be a mapping of keys"]],
  ["a word", "upstream\n", ["postern.yaml:1:1 must be a mapping of keys"]],
  ["UTF-16", Buffer.from(smallest, "utf16le"), []],
  [
    "UTF-16 with its mark",
    Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(smallest, "utf16le")]),
    ["postern.yaml is not UTF-8 text"],
  ],
  ["Latin-1", Buffer.from("notice: { organisation: Müller }\n", "latin1"), ["postern.yaml is not UTF-8 text"]],
  [
    "a UTF-8 letter that is cut",
    Buffer.concat([Buffer.from(smallest), Buffer.of(0x23, 0xc3)]),
    ["postern.yaml is not UTF-8 text"],
  ],
];

for (const [title, yaml, faults] of files) {
  test(`YAML with ${title} is refused where it stands`, (t) => {
    const said = aConfigDirectory(t, yaml).faults();
    assert.ok(said.length > 0);
    if (faults.length > 0) assert.deepEqual(said, faults);
    for (const line of said) assert.match(line, /^postern\.yaml(:\d+:\d+)? /);
  });
}

test("positions are right behind a byte order mark and CRLF", (t) => {
  const yaml = "\uFEFFmail: { listn: x }\r\nupstream: { url: http://a }\r\nlog:\r\n  levl: x\r\n";
  assert.deepEqual(aConfigDirectory(t, yaml).faults(), [
    'postern.yaml:1:9 mail.listn: unknown key; did you mean "listen"?',
    'postern.yaml:4:3 log.levl: unknown key; did you mean "level"?',
  ]);
});

/** Enough for every stack and every quadratic algorithm, and little enough for a suite that runs before each commit. */
const size = 128 * 1024;

/** Each would take a careless reader minutes, gigabytes, or its stack. */
const floods: readonly (readonly [title: string, yaml: string])[] = [
  ["a billion laughs", bomb(30)],
  ["brackets", "[".repeat(size)],
  ["closed brackets", `${"[".repeat(20_000)}${"]".repeat(20_000)}`],
  ["braces", "{a: ".repeat(size / 4)],
  ["dashes", "- ".repeat(size / 2)],
  ["question marks", "? ".repeat(size / 2)],
  ["indentation", Array.from({ length: 500 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
  ["keys", Array.from({ length: 20_000 }, (_, index) => `k${index}:`).join("\n")],
  ["the same key", "a:\n".repeat(size / 3)],
  ["one long key", `${"a".repeat(size - 10)}: 1`],
  ["anchors", "&a ".repeat(size / 3)],
  ["commas", `[${",".repeat(size - 2)}`],
  ["documents", "---\n".repeat(size / 4)],
  ["directives", "%\n".repeat(size / 2)],
  ["colons", ": ".repeat(size / 2)],
  ["a flat list in a list of texts", `mail: { hosts: [${"a,".repeat(size / 2 - 20)}] }`],
  ["a long URL", `upstream: { url: "http://${"a.".repeat(size / 2 - 40)}" }`],
  ["a long address", `notice: { from: { address: "${"a.".repeat(size / 2 - 40)}" } }`],
];

for (const [title, yaml] of floods) {
  test(`a file that is nothing but ${title} is refused, and soon`, { timeout: 60_000 }, (t) => {
    assert.ok(aConfigDirectory(t, yaml).faults().length > 0);
  });
}

test("nesting ends at 16 levels", (t) => {
  const nested = (levels: number): string => `${smallest}x: ${"[".repeat(levels)}1${"]".repeat(levels)}\n`;
  assert.deepEqual(aConfigDirectory(t, nested(15)).faults(), ["postern.yaml:2:1 x: unknown key"]);
  const path = `x${"[0]".repeat(15)}`;
  assert.deepEqual(aConfigDirectory(t, nested(16)).faults(), [
    "postern.yaml:2:1 x: unknown key",
    `postern.yaml:2:20 ${path}: is nested deeper than 16 levels`,
  ]);
});
