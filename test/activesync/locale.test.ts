import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { localeOf } from "../../src/activesync/locale.ts";

suite("what a phone asks for: the number in its query first, then what it accepts", () => {
  const rows: readonly (readonly [lcid: number | undefined, accept: string | undefined, wishes: string | undefined])[] =
    [
      [undefined, undefined, undefined],
      [0x0407, undefined, "de"],
      [0x0807, "fr", "de,fr"],
      [undefined, "de-CH,en;q=0.5", "de-CH,en;q=0.5"],
      [0x0804, undefined, "zh"],
      [0x1004, undefined, "zh"],
      [0x0404, undefined, "zh-Hant"],
      [0x0c04, "zh-HK,zh;q=0.9", "zh-Hant,zh-HK,zh;q=0.9"],
      [0xffff, "ja", "ja"],
      [0, "ja", "ja"],
      [undefined, "de\r\nx", undefined],
      [undefined, "<b>", undefined],
      [undefined, "x".repeat(257), undefined],
    ];
  for (const [lcid, accept, wishes] of rows) {
    test(`${lcid?.toString(16) ?? "none"}, ${JSON.stringify(accept)?.slice(0, 30) ?? "none"}`, () => {
      const headers = new Map(accept === undefined ? [] : [["accept-language", accept]]);
      assert.equal(localeOf(lcid, headers), wishes);
    });
  }
});
