/** The words of the page in every language of the notice. */
import type { LanguageTag } from "../../policy/wording.ts";
import { de } from "./de.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";
import { fr } from "./fr.ts";
import { ja } from "./ja.ts";
import type { SelfServiceWords } from "./words.ts";
import { zhHans } from "./zh-hans.ts";

const byTag: Readonly<Record<LanguageTag, SelfServiceWords>> = { en, de, fr, es, ja, "zh-Hans": zhHans };

export const allWords: readonly SelfServiceWords[] = Object.values(byTag);

export function wordsIn(tag: LanguageTag): SelfServiceWords {
  return byTag[tag];
}
