/** The notice among the mail of a phone, in versions that spell a Sync in another way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { featuresOf, protocolVersions } from "../../src/activesync/version.ts";
import type { ProtocolVersion } from "../../src/activesync/version.ts";
import { answerWarnedSync } from "../../src/activesync/warning.ts";
import type { WarningSync } from "../../src/activesync/warning.ts";
import { calendar, everywhere, inbox, sync, textsIn } from "../support/activesync-documents.ts";
import type { CollectionParts } from "../support/activesync-documents.ts";
import { aMailbox, aView, foldersKnown, keys, noon } from "../support/remediation.ts";

function answer(version: ProtocolVersion, ...folders: readonly CollectionParts[]): WarningSync {
  return answerWarnedSync({
    request: sync(...folders),
    mailbox: aMailbox(foldersKnown),
    device: "PHONEA",
    account: "alice",
    view: aView({ version }),
    keys,
    features: featuresOf(version),
    now: noon,
  });
}

test("up to 12.0 the answer with the notice repeats of which class each folder is", () => {
  for (const version of protocolVersions) {
    const given = answer(
      version,
      { key: "77", id: inbox, class: "Email", getChanges: "1" },
      { key: "78", id: calendar, class: "Calendar", getChanges: "1" },
    );
    const expected = version === "2.5" || version === "12.0" ? ["Email", "Calendar"] : [];
    assert.equal(given.kind, "answer");
    assert.deepEqual(textsIn(given.document, "AirSync:Class"), expected, version);
    assert.equal(everywhere(given.document, "AirSync:Add").length, 1);
  }
});

test("a phone that speaks 2.5 and does not say that it wants changes gets the notice later", () => {
  assert.equal(answer("2.5", { key: "77", id: inbox, class: "Email" }).kind, "forward");
  assert.equal(answer("2.5", { key: "77", id: inbox, class: "Email", getChanges: "" }).kind, "answer");
  assert.equal(answer("12.0", { key: "77", id: inbox, class: "Email" }).kind, "answer");
});
