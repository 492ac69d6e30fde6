/** The language of a phone: from the base64 query where it is one number, else from what it accepts. */

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

export function localeOf(lcid: number | undefined, headers: ReadonlyMap<string, string>): string | undefined {
  const language = lcid === undefined ? undefined : languages.get(lcid & 0x3ff);
  return language ?? /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*/.exec(headers.get("accept-language") ?? "")?.[0];
}
