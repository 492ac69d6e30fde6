/** docs/notices.md: its example is a good one, and its tables have the languages and places that there are. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { languageFor } from "../../src/notice/languages.ts";
import { languageTags, placeholders } from "../../src/policy/wording.ts";
import { aConfigDirectory } from "../support/config-directory.ts";
import { codeBlocks, tableAfter } from "../support/markdown.ts";
import { repository } from "../support/postern.ts";

const page = readFileSync(path.join(repository, "docs/notices.md"), "utf8");
const bare = (cell = ""): string => cell.replaceAll("`", "");

suite("docs/notices.md", () => {
  test("has an example that loads", (t) => {
    const example = codeBlocks(page).find(({ language }) => language === "yaml")?.lines ?? [];
    const directory = aConfigDirectory(t, ["upstream: { url: http://mail.internal }", ...example].join("\n"));
    assert.deepEqual(directory.faults(), []);
    assert.deepEqual([...(directory.load().policy.campaigns[0]?.wording.keys() ?? [])], ["en", "de"]);
  });

  test("names every language, and who reads it", () => {
    const rows = tableAfter(page, "In which language");
    assert.deepEqual(
      rows.map(([tag]) => bare(tag)),
      [...languageTags],
    );
    for (const [tag, , readers = ""] of rows) {
      const [those = "", others = ""] = readers.split(", but not ");
      for (const [, reader = ""] of those.matchAll(/`([^`]+)`/g))
        assert.equal(languageFor(reader).tag, bare(tag), reader);
      for (const [, reader = ""] of others.matchAll(/`([^`]+)`/g)) assert.equal(languageFor(reader).tag, "en", reader);
    }
  });

  test("names every place", () => {
    const places = [...page.matchAll(/^\| `\{(\w+)\}` \|/gm)].map(([, place]) => place);
    assert.deepEqual(places, [...placeholders]);
  });
});
