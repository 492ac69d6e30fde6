/**
 * Our decoder and encoder held against libwbxml (Debian: libwbxml2-utils), which is what SOGo reads and writes with. Two
 * programs that share no line of code must find the same elements and the same text in the same bytes.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import * as fc from "fast-check";
import { codePages } from "../../src/activesync/code-pages.ts";
import { element } from "../../src/activesync/document.ts";
import { nameOf, tagCode } from "../../src/activesync/tag-codes.ts";
import { decode, encode } from "../../src/activesync/wbxml.ts";
import type { TagName } from "../../src/activesync/wbxml.ts";
import { captures } from "../support/captures.ts";
import { requirePackage } from "../support/debian.ts";
import { asLibwbxmlReads, readXml, tagsInBase64, tagsUnknownToLibwbxml } from "../support/libwbxml.ts";
import { anyDocument, everyTag } from "../support/wbxml-documents.ts";
import { refusalOf } from "../support/wbxml-refusal.ts";

let program = "";
let folder = "";

before(async () => {
  program = await requirePackage("libwbxml2-utils", "wbxml2xml");
  folder = await mkdtemp(path.join(tmpdir(), "postern-wbxml2xml-"));
});
after(async () => {
  if (folder !== "") await rm(folder, { recursive: true });
});

/** The XML that libwbxml makes of the bytes, one character per byte of it; undefined where it refuses them. */
async function readByLibwbxml(bytes: Uint8Array): Promise<string | undefined> {
  const file = path.join(folder, "document.wbxml");
  await writeFile(file, bytes);
  // -m 0 and -k: white space is text like any other, and none is added.
  const options = ["-l", "ACTIVESYNC", "-m", "0", "-k", "-o", "-", file];
  return new Promise((resolve, reject) => {
    execFile(program, options, { encoding: "latin1", maxBuffer: 64 * 1024 * 1024 }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else if (typeof error.code === "number") resolve(undefined);
      // It could not be started, or was killed: that is not an opinion about the document.
      else reject(error);
    });
  });
}

async function assertReadAlike(bytes: Uint8Array, name: string): Promise<void> {
  const xml = await readByLibwbxml(bytes);
  assert.ok(xml !== undefined, `libwbxml refuses ${name}`);
  assert.deepEqual(readXml(xml), asLibwbxmlReads(decode(bytes)), name);
}

// Within an element that it does not know, libwbxml does not say which namespace the names belong to.
function nameable(tags: readonly TagName[]): TagName[] {
  return tags.filter((tag) => !tagsUnknownToLibwbxml.has(tag));
}

test("both read the same in everything that was captured, and refuse the same", async () => {
  const refused: string[] = [];
  for (const { file, bytes } of captures) {
    if (refusalOf(bytes) === undefined) await assertReadAlike(bytes, file);
    else refused.push(file);
  }
  assert.deepEqual(refused, ["113-provision.response.wbxml"]);
  const cutOff = captures.filter(({ file }) => refused.includes(file));
  for (const { bytes } of cutOff) assert.equal(await readByLibwbxml(bytes), undefined);
});

suite("libwbxml reads what we write", () => {
  for (const [namespace, { page, tags }] of Object.entries(codePages)) {
    test(`on the page of ${namespace}`, async () => {
      const names = Object.values<number>(tags).map((token) => nameOf(tagCode(page, token)));
      const root = element(
        "AirSync:Sync",
        names.map((name) => element(name)),
        names.map((name) => element(name, `${name} <&>"' \t\r\n é€😀`)),
        names.map((name) => element(name, Buffer.from(`${name} é€😀`))),
        nameable(names).map((name) => element(name, element("FolderHierarchy:Status", " "), element(name))),
      );
      await assertReadAlike(encode(root), namespace);
    });
  }

  test("in documents of any shape", async () => {
    // Left to the pages above: after a child libwbxml forgets whether its parent is written in base64, and the Data of an
    // Add it takes for that of another language.
    const tags = nameable(everyTag).filter((tag) => !tagsInBase64.has(tag) && !tag.endsWith(":Data"));
    await fc.assert(
      fc.asyncProperty(anyDocument(fc.constantFrom(...tags)), async (root) => {
        await assertReadAlike(encode(root), "a document");
      }),
      { numRuns: 500 },
    );
  });
});

test("libwbxml knows every tag that we know, but for these", async () => {
  const unknown: string[] = [];
  for (const tag of everyTag) {
    const xml = await readByLibwbxml(encode(element("AirSync:Sync", element(tag))));
    if (xml?.includes("<unknown")) unknown.push(tag);
  }
  assert.deepEqual(unknown, [...tagsUnknownToLibwbxml]);
});

test("a second page switch, which libwbxml takes for a tag, is refused by us", async () => {
  const twice = Buffer.from("03016a000002000756520330000101", "hex");
  const xml = await readByLibwbxml(twice);
  assert.ok(xml?.includes("<unknown"));
  assert.equal(refusalOf(twice)?.code, "page-switch-misplaced");
});
