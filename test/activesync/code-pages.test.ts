import assert from "node:assert/strict";
import { test } from "node:test";
import { codePages } from "../../src/activesync/code-pages.ts";
import { element } from "../../src/activesync/document.ts";
import { decode, encode } from "../../src/activesync/wbxml.ts";
import { everyTag } from "../support/wbxml-documents.ts";

const pages = Object.entries(codePages);

test("there are 26 pages, numbered 0 to 25 in their order", () => {
  assert.deepEqual(
    pages.map(([, { page }]) => page),
    Array.from({ length: 26 }, (_, page) => page),
  );
});

test("there are 655 tags", () => {
  const tags = pages.flatMap(([namespace, { tags }]) => Object.keys(tags).map((tag) => `${namespace}:${tag}`));
  assert.equal(tags.length, 655);
  assert.equal(new Set(tags).size, 655);
  assert.deepEqual([...everyTag].sort(), tags.sort());
});

test("a token stands for one tag of its page, and lies between the control codes and the flags", () => {
  for (const [namespace, { tags }] of pages) {
    const tokens = Object.values<number>(tags);
    assert.equal(new Set(tokens).size, tokens.length, namespace);
    for (const token of tokens) assert.ok(token >= 0x05 && token <= 0x3f, `${namespace} ${token}`);
  }
});

test("namespaces and tags are spelled as names of XML, without the colon that joins them", () => {
  for (const [namespace, { tags }] of pages) {
    for (const name of [namespace, ...Object.keys(tags)]) assert.match(name, /^[A-Za-z][A-Za-z0-9]*$/);
  }
});

test("every tag is written as its page and its token, and read back as itself", () => {
  for (const [namespace, { page, tags }] of pages) {
    for (const [name, token] of Object.entries<number>(tags)) {
      const tag = everyTag.find((tag) => tag === `${namespace}:${name}`) ?? "255:0x3f";
      const bytes = encode(element(tag));
      const pageSwitch = page === 0 ? [] : [0x00, page];
      assert.deepEqual([...bytes], [0x03, 0x01, 0x6a, 0x00, ...pageSwitch, token], tag);
      assert.equal(decode(bytes).tag, tag);
    }
  }
});
