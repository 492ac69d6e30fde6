/** The languages that a phone asks for: that of the base64 query, which is one number, then what it accepts. */

/** Primary languages (the lower ten bits of a Windows language identifier) to BCP 47. */
const languages: ReadonlyMap<number, string> = new Map([
  [0x04, "zh"],
  [0x07, "de"],
  [0x09, "en"],
  [0x0a, "es"],
  [0x0c, "fr"],
  [0x10, "it"],
  [0x11, "ja"],
  [0x12, "ko"],
  [0x13, "nl"],
  [0x15, "pl"],
  [0x16, "pt"],
  [0x19, "ru"],
]);

/** Chinese in traditional characters (MS-LCID 2.2): Taiwan, Hong Kong, Macao, and no place at all. */
const traditionalChinese: ReadonlySet<number> = new Set([0x0404, 0x0c04, 0x1404, 0x7c04]);

/** What may stand in an Accept-Language; a header with anything else in it says nothing. */
const acceptGrammar = /^[A-Za-z0-9*;=,.\- \t]{1,256}$/;

/** In the form of an Accept-Language. */
export function localeOf(lcid: number | undefined, headers: ReadonlyMap<string, string>): string | undefined {
  const accepted = headers.get("accept-language") ?? "";
  const wishes = [
    lcid === undefined ? undefined : languageOf(lcid),
    acceptGrammar.test(accepted) ? accepted : undefined,
  ];
  const said = wishes.filter((wish) => wish !== undefined);
  return said.length === 0 ? undefined : said.join(",");
}

function languageOf(lcid: number): string | undefined {
  return traditionalChinese.has(lcid) ? "zh-Hant" : languages.get(lcid & 0x3ff);
}
