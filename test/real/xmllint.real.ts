/**
 * The reader of SOAP held against libxml2 (Debian: libxml2-utils): whatever is read here to its end, a parser that shares no line
 * of code with it reads too. The other way round it need not be: what is refused here is refused for good.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import * as fc from "fast-check";
import { readXml, UnreadableXml } from "../../src/xml/read-xml.ts";
import { requirePackage } from "../support/debian.ts";
import { ewsRequest, ewsRequests } from "../support/ews-requests.ts";

/** The same documents each time; another number looks elsewhere. */
const seed = Number(process.env["XMLLINT_SEED"] ?? 20_261_128);

/** One start of the program reads so many: starting it is what takes the time. */
const DOCUMENTS = 4000;

const whole = ewsRequest("GetFolder").body;

// Pieces that fit together often enough to be read, and each of which has led some reader astray.
const pieces = fc.constantFrom(
  ..."<x>|</x>|<x/>|<m:y>|</m:y>|<n:x/>|<x |a='1'|a=\"2\"|t:a='1'|xmlns:n='urn:n'|xmlns:n=''|xmlns='urn:x'|xmlns:xml='urn:x'|/>|>".split(
    "|",
  ),
  ..."&amp;|&#65;|&#x41;|&#0;|&#xD800;|&#x10FFFF;|&#x110000;|&e;|&|;|]]>|<![CDATA[|-->|<!--|--|-|<?pi?>|<?xml version='1.0'?>".split(
    "|",
  ),
  ..."<!DOCTYPE x>|<!ENTITY e 'x'>|\u00a0|\u0085|\u2028|\ufeff|\ufffe|\t|\r\n| |text|'|\"|=|:|a:b:c|é|😀|xml:lang='en'|xml:space='x'".split(
    "|",
  ),
);
const places = [
  "<soap:Envelope",
  "<soap:Header>",
  "<t:RequestServerVersion ",
  "</soap:Header>",
  "<soap:Body>",
  "</soap:Body>",
];
const documents = fc
  .tuple(fc.constantFrom(...places), fc.boolean(), fc.array(pieces, { minLength: 1, maxLength: 6 }))
  .map(([place, behind, parts]) => whole.replace(place, behind ? place + parts.join("") : parts.join("") + place));

function isRead(document: string): boolean {
  try {
    return [...readXml(document)].length > 0;
  } catch (error) {
    assert.ok(error instanceof UnreadableXml);
    return false;
  }
}

suite("what the reader of SOAP reads, libxml2 reads", () => {
  let xmllint: string;
  let folder: string;
  before(async () => {
    xmllint = await requirePackage("libxml2-utils", "xmllint");
    folder = await mkdtemp(path.join(tmpdir(), "postern-xmllint-"));
  });
  after(() => rm(folder, { recursive: true }));

  /** The numbers of those that libxml2 does not read. */
  async function complaints(texts: readonly string[]): Promise<ReadonlySet<number>> {
    for (const [index, text] of texts.entries()) await writeFile(path.join(folder, `${index}.xml`), text);
    const files = texts.map((_text, index) => `${index}.xml`);
    const said = await new Promise<string>((resolve, reject) => {
      const options = { cwd: folder, maxBuffer: 256 * 1024 * 1024 };
      execFile(xmllint, ["--noout", "--nonet", ...files], options, (error, _stdout, stderr) =>
        error === null || typeof error.code === "number" ? resolve(stderr) : reject(error),
      );
    });
    // A warning is about a value, such as one of xml:space that has no meaning; the document is read all the same.
    return new Set([...said.matchAll(/^(\d+)\.xml:\d+: [a-z ]*error :/gm)].map(([, index]) => Number(index)));
  }

  test("in what real programs send", async () => {
    const texts = ewsRequests.map(({ body }) => body);
    assert.ok(texts.every(isRead));
    assert.deepEqual(await complaints(texts), new Set());
    assert.deepEqual(await complaints(["<x>", "<x/>", "<n:x/>"]), new Set([0, 2]), "and it does complain");
  });

  test("in whatever is made of pieces that lead readers astray", async (t) => {
    const all = fc.sample(documents, { numRuns: DOCUMENTS, seed });
    const read = all.filter(isRead);
    const refused = await complaints(read);
    assert.deepEqual(
      read.filter((_text, index) => refused.has(index)),
      [],
    );
    t.diagnostic(`${read.length} of ${all.length} are read`);
    assert.ok(read.length > DOCUMENTS / 50, "or nothing was shown");
  });
});
