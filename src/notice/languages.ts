/** The languages that a notice can be written in, and which of them somebody reads. */
import type { LanguageTag } from "../policy/wording.ts";
import { de } from "./de.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";
import { fr } from "./fr.ts";
import { ja } from "./ja.ts";
import type { Language } from "./language.ts";
import { zhHans } from "./zh-hans.ts";

const byTag: Readonly<Record<LanguageTag, Language>> = { en, de, fr, es, ja, "zh-Hans": zhHans };

export const languages: readonly Language[] = Object.values(byTag);

export function languageOf(tag: LanguageTag): Language {
  return byTag[tag];
}

/** The first language wished for that there is, else the one to fall back to. Takes one tag or a whole Accept-Language. */
export function languageFor(wishes: string | undefined, fallback: Language = en): Language {
  return findLanguage(wishes) ?? fallback;
}

/** 512 characters: the Accept-Language that a browser makes by itself stays under 100. */
const WISHES_LIMIT_CHARS = 512;
/** 16 languages: nobody reads more, and each one costs a look-up. */
const WISHES_LIMIT = 16;
/** RFC 4647, 2.1: a range has parts of at most 8 characters. "de_DE" is how some systems write it. */
const rangeGrammar = /^[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8}){0,8}$/;
/** RFC 9110, 12.4.2. */
const weightGrammar = /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i;

/** RFC 9110, 12.5.4, and look-up by RFC 4647, 3.4. What cannot be read is no wish; neither is `*`, or what has the weight 0. */
export function findLanguage(wishes: string | undefined): Language | undefined {
  return (wishes ?? "")
    .slice(0, WISHES_LIMIT_CHARS)
    .split(",", WISHES_LIMIT)
    .flatMap((wish) => {
      const [range = "", weight = "q=1", ...more] = wish.split(";").map((part) => part.trim());
      const isWish = more.length === 0 && rangeGrammar.test(range) && weightGrammar.test(weight);
      return isWish ? [{ range, weight: Number(weight.slice(2)) }] : [];
    })
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight)
    .flatMap(({ range }) => lookUp(range.replaceAll("_", "-")) ?? [])
    .at(0);
}

/**
 * By language and script, as CLDR completes them: "zh", "zh-CN" and "zh-SG" are Chinese in simplified characters, "zh-TW"
 * and "zh-HK" are not. Whoever reads the traditional ones is not given the others unless they ask for "zh" as well.
 */
function lookUp(range: string): Language | undefined {
  const parts = range.split("-");
  for (let length = parts.length; length > 0; length -= 1) {
    const wanted = completed(parts.slice(0, length).join("-"));
    // A range that is a tag has its answer: a shorter one would mean something else.
    if (wanted !== undefined) return languages.find(({ tag }) => completed(tag) === wanted);
  }
  return undefined;
}

function completed(tag: string): string | undefined {
  try {
    const { language, script } = new Intl.Locale(tag).maximize();
    return `${language}-${script ?? ""}`;
  } catch {
    return undefined;
  }
}
