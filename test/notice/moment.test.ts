import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { en } from "../../src/notice/en.ts";
import { languages } from "../../src/notice/languages.ts";
import { createSpellMoment, spellDay } from "../../src/notice/moment.ts";

const moment = new Date("2026-11-21T04:59:00Z");
const spellMoment = createSpellMoment();

suite("a time can be read in one way only", () => {
  const rows: readonly (readonly [zone: string | undefined, expected: string])[] = [
    ["America/New_York", "Friday, 20 November 2026 at 23:59 (Eastern Time, UTC−05:00)"],
    ["america/new_york", "Friday, 20 November 2026 at 23:59 (Eastern Time, UTC−05:00)"],
    ["Europe/London", "Saturday, 21 November 2026 at 04:59 (United Kingdom Time, UTC)"],
    ["Asia/Kolkata", "Saturday, 21 November 2026 at 10:29 (India Standard Time, UTC+05:30)"],
    ["America/Argentina/Buenos_Aires", "Saturday, 21 November 2026 at 01:59 (Argentina Standard Time, UTC−03:00)"],
    ["Pacific/Chatham", "Saturday, 21 November 2026 at 18:44 (Chatham Time, UTC+13:45)"],
    ["Etc/GMT+5", "Friday, 20 November 2026 at 23:59 (UTC−05:00)"],
    ["+02:00", "Saturday, 21 November 2026 at 06:59 (UTC+02:00)"],
    ["UTC", "Saturday, 21 November 2026 at 04:59 (UTC)"],
    [undefined, "Saturday, 21 November 2026 at 04:59 (UTC)"],
    ["", "Saturday, 21 November 2026 at 04:59 (UTC)"],
    ["Mars/Olympus", "Saturday, 21 November 2026 at 04:59 (UTC)"],
    ["owner", "Saturday, 21 November 2026 at 04:59 (UTC)"],
    ["<b>\r\n", "Saturday, 21 November 2026 at 04:59 (UTC)"],
    ["A".repeat(10_000), "Saturday, 21 November 2026 at 04:59 (UTC)"],
  ];
  for (const [zone, expected] of rows) {
    test(JSON.stringify(zone)?.slice(0, 40) ?? "no zone", () => assert.equal(spellMoment(moment, zone, en), expected));
  }

  test("the same hour before and after the clocks change says which of the two it is", () => {
    const first = spellMoment(new Date("2026-10-25T00:30:00Z"), "Europe/Berlin", en);
    const second = spellMoment(new Date("2026-10-25T01:30:00Z"), "Europe/Berlin", en);
    assert.equal(first, "Sunday, 25 October 2026 at 02:30 (Central European Summer Time, UTC+02:00)");
    assert.equal(second, "Sunday, 25 October 2026 at 02:30 (Central European Time, UTC+01:00)");
  });

  test("midnight belongs to the day that begins", () => {
    assert.equal(spellMoment(new Date("2026-11-21T00:00:00Z"), "UTC", en), "Saturday, 21 November 2026 at 00:00 (UTC)");
  });

  test("more zones than are kept are spelled as well", () => {
    for (let minutes = 0; minutes < 200; minutes += 1) {
      const offset = `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
      const expected = minutes === 0 ? "(UTC)" : `(UTC+${offset})`;
      assert.ok(spellMoment(moment, `+${offset}`, en)?.endsWith(expected), offset);
    }
  });

  test("a date that is none is not spelled", () => {
    assert.equal(spellMoment(new Date(Number.NaN), "UTC", en), undefined);
    assert.equal(typeof spellMoment(new Date(8.64e15), "Pacific/Chatham", en), "string");
  });
});

suite("the same time in every language, in the zone as people there call it", () => {
  const expected: Readonly<Record<string, readonly [whole: string, brief: string, day: string]>> = {
    en: [
      "Friday, 20 November 2026 at 23:59 (Eastern Time, UTC−05:00)",
      "Friday, 20 November 2026 at 23:59",
      "1 May 2026",
    ],
    de: [
      "Freitag, 20. November 2026 um 23:59 Uhr (Nordamerikanische Ostküstenzeit, UTC−05:00)",
      "Freitag, 20. November 2026 um 23:59 Uhr",
      "1. Mai 2026",
    ],
    fr: [
      "vendredi 20 novembre 2026 à 23:59 (heure de l’Est nord-américain, UTC−05:00)",
      "vendredi 20 novembre 2026 à 23:59",
      "1 mai 2026",
    ],
    es: [
      "viernes, 20 de noviembre de 2026, 23:59 (hora oriental, UTC−05:00)",
      "viernes, 20 de noviembre de 2026, 23:59",
      "1 de mayo de 2026",
    ],
    ja: ["2026年11月20日金曜日 23:59（米国東部時間、UTC−05:00）", "2026年11月20日金曜日 23:59", "2026年5月1日"],
    "zh-Hans": ["2026年11月20日星期五 23:59（北美东部时间，UTC−05:00）", "2026年11月20日星期五 23:59", "2026年5月1日"],
  };
  for (const language of languages) {
    test(language.tag, () => {
      const zone = "America/New_York";
      assert.deepEqual(
        [
          spellMoment(moment, zone, language),
          spellMoment(moment, zone, language, "brief"),
          spellDay("2026-05-01", language),
        ],
        expected[language.tag],
      );
      assert.doesNotMatch(spellMoment(moment, "Europe/London", language) ?? "", /\(.*\(|（.*（|: \p{L}/u);
      assert.match(spellMoment(moment, "UTC", language) ?? "", /UTC[)）]$/);
    });
  }

  test("a day that is none is not spelled", () => {
    for (const day of ["", "2026", "2026-13-01", "2026-5-1", "2026-05-01T00:00", "<b>"]) {
      assert.equal(spellDay(day, en), undefined, day);
    }
  });
});
