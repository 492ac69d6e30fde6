/** The languages that a notice can be written in, and which of them somebody reads. */
import { en } from "./en.ts";
import type { Language } from "./language.ts";

export const languages: readonly Language[] = [en];

/** 200 characters: the longest Accept-Language that a browser makes by itself stays under 100. */
const LOCALE_LIMIT_CHARS = 200;

/** The first language named that there is, else English. Takes one BCP 47 tag or a whole Accept-Language. */
export function languageFor(locale: string | undefined): Language {
  for (const wish of (locale ?? "").slice(0, LOCALE_LIMIT_CHARS).split(",")) {
    const [tag = ""] = wish.split(";");
    const primary = tag.trim().toLowerCase().split(/[-_]/)[0];
    const language = languages.find(({ tag }) => tag === primary);
    if (language !== undefined) return language;
  }
  return en;
}
