/** What must be true whatever happens. Each is asserted after every step, on bytes as well as on what they mean. */
import assert from "node:assert/strict";
import { textOf } from "../../src/activesync/document.ts";
import { decode, WbxmlError } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import type { MailServer } from "../../src/demo/mail-server.ts";
import type { RawAnswer } from "./air.ts";
import type { Letter, Upload } from "./mailbox.ts";
import { writtenMark } from "./mailbox.ts";
import type { Expected } from "./world.ts";
import { mailMark } from "./world.ts";

/** The first group of every key of ours, without the bracket: also the beginning of one is one too many. */
const keyMark = "50535451";
const ourItem = /:20000\d{5}/;

/** Nothing that is in the mailbox upstream reaches a phone in quarantine, in whatever part of an answer. */
export function assertShowsNothing(answer: RawAnswer, expected: Expected): void {
  if (expected !== "quarantine") return;
  const bytes = answer.body.toString("latin1");
  for (const mark of [mailMark, writtenMark])
    assert.ok(!bytes.includes(mark), `a phone in quarantine was given "${mark}": ${bytes.slice(0, 400)}`);
}

/** Looks at each request once, as soon as it has arrived upstream. */
export function watchUpstream(upstream: MailServer): { readonly check: (requestsOfPhone: number) => void } {
  let seen = 0;
  let forwarded = 0;
  return {
    check(requestsOfPhone): void {
      for (const entry of upstream.journal().slice(seen)) {
        seen += 1;
        if (entry.method !== "OPTIONS") forwarded += 1;
        if (entry.failure !== undefined) throw new Error("the mail server failed", { cause: entry.failure });
        const bytes = [entry.url, ...entry.rawHeaders, entry.body?.toString("latin1") ?? ""].join("\n");
        assert.ok(!bytes.includes(keyMark), `a key of ours went upstream: ${entry.url}`);
        assert.ok(!ourItem.test(bytes), `an item of ours went upstream: ${entry.url}`);
        for (const text of textsOf(entry.body)) {
          assert.ok(!text.includes(keyMark), `a key of ours went upstream in pieces: ${entry.url}`);
          assert.ok(!ourItem.test(text), `an item of ours went upstream in pieces: ${entry.url}`);
        }
      }
      assert.ok(forwarded <= requestsOfPhone, `upstream got ${forwarded} requests for ${requestsOfPhone} of the phone`);
    },
  };
}

function textsOf(body: Buffer | undefined): string[] {
  if (body === undefined || body.byteLength === 0) return [];
  try {
    return textsIn(decode(body));
  } catch (error) {
    // Mail as it is, up to 12.1.
    if (error instanceof WbxmlError) return [];
    throw error;
  }
}

function textsIn(document: Element): string[] {
  const parts = document.content.filter((part) => typeof part === "object" && "tag" in part);
  if (parts.length > 0) return parts.flatMap(textsIn);
  try {
    return [textOf(document)];
  } catch (error) {
    if (error instanceof WbxmlError) return [];
    throw error;
  }
}

/** What the phone was told is stored, is. */
export function assertStored(upload: Upload, upstream: MailServer): void {
  const { calendar, contacts, messages } = upstream.mailbox("alice");
  switch (upload.kind) {
    case "add": {
      const cards =
        upload.folder === "calendar" ? calendar.map(({ subject }) => subject) : contacts.map(({ name }) => name);
      assert.equal(
        cards.filter((subject) => subject.includes(upload.subject)).length,
        1,
        `"${upload.subject}" was acknowledged, and is not there once`,
      );
      return;
    }
    case "change":
      assert.equal(
        calendar.find(({ id }) => id === upload.item)?.location,
        upload.location,
        `the change of ${upload.item} was acknowledged and is not there`,
      );
      return;
    case "read":
      assert.equal(
        messages.find(({ id }) => id === upload.item)?.read,
        upload.read,
        `the mark on ${upload.item} was acknowledged and is not there`,
      );
      return;
    case "delete": {
      const ids = [...calendar, ...contacts, ...messages].map(({ id }) => id);
      assert.ok(!ids.includes(upload.item), `the deletion of ${upload.item} was acknowledged, and it is still there`);
    }
  }
}

export function assertSent(letter: Letter, upstream: MailServer): void {
  assert.ok(copiesOf(letter, upstream) > 0, `"${letter.subject}" was acknowledged and never sent`);
}

/** A repeat is told from a new message by its ClientId, from 14.0 on; before that a server cannot know. */
export function assertNotTwice(letters: readonly Letter[], upstream: MailServer, isToldApart: boolean): void {
  for (const letter of letters) {
    const allowed = isToldApart ? 1 : letter.tries;
    const copies = copiesOf(letter, upstream);
    assert.ok(copies <= allowed, `"${letter.subject}" was sent ${copies} times in ${letter.tries} tries`);
  }
  const cards = upstream.mailbox("alice").calendar.map(({ subject }) => subject);
  const names = upstream.mailbox("alice").contacts.map(({ name }) => name);
  for (const subject of [...cards, ...names])
    assert.equal([...cards, ...names].filter((each) => each === subject).length, 1, `"${subject}" is there twice`);
}

function copiesOf({ subject }: Letter, upstream: MailServer): number {
  return upstream.mailbox("alice").sent.filter(({ message }) => message.subject === subject).length;
}
