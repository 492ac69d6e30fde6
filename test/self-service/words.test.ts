/** The words of the page: all there in each language, set as the language is, and polite. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { languageOf } from "../../src/notice/languages.ts";
import { datumOf, plain } from "../../src/notice/phrase.ts";
import type { Phrase } from "../../src/notice/phrase.ts";
import { languageTags } from "../../src/policy/wording.ts";
import type { LanguageTag } from "../../src/policy/wording.ts";
import { allWords, wordsIn } from "../../src/self-service/words/all.ts";
import type { SelfServiceWords, Told } from "../../src/self-service/words/words.ts";

const organisation = datumOf("An App") ?? { datum: "" };

function everythingIn(words: SelfServiceWords): string[] {
  const { ends, steps } = words;
  const names = [...new Set(Object.values(languageOf(words.tag).names))];
  const told: Told[] = [words.tooOld, words.noSuchPage, words.away, words.tooMany];
  const phrases: Phrase[] = [
    words.whenDone,
    words.mayAskFrom("1"),
    words.usually(words.seconds(2), words.minutes(2)),
    words.timesIn("1"),
    words.follows,
    words.looksAgain(15),
    words.register.one(organisation),
    words.register.several,
    words.register.needsOperator,
    words.register.waiting,
    words.register.noPhone,
  ];
  for (const name of names) {
    told.push(words.checking(name), words.answered(name), words.clear(name), words.back(name));
    told.push(words.well(name, organisation), ...Object.values(ends).map((end) => end(name, organisation)));
    phrases.push(words.sent(name), words.unlock(name), words.keepOnline(name));
    phrases.push(...Object.values(steps).map((step) => step(name)));
  }
  const labels = [words.chooseLanguage, words.check, words.checkOnceMore, words.done, words.progress, words.soFar];
  return [
    ...new Set([
      ...[...phrases, ...told.flatMap(({ title, text }) => [title, text])].map((phrase) => plain(phrase, 48)),
      ...labels,
      words.reload,
      words.whatWasFound,
      words.register.itIs,
      words.register.askOperator,
      words.seconds(1),
      words.minutes(1),
    ]),
  ];
}

/** In these a language may say what another says too: names of things that are called so everywhere. */
const sameEverywhere = /An App|iPhone|iPad|Android|Windows|Mac|Wi-Fi|App\b|^\d+ minutes?$/g;

const own: Readonly<Record<LanguageTag, RegExp>> = {
  en: / [.,;:!?]|["„«»']|\.\./u,
  de: / [.,;:!?]|["”«»']|“(?=\p{L})/u,
  fr: /[^\u00a0][:;?!](?!\/\/)| [.,]|["“”„']|«[^\u00a0]|[^\u00a0]»/u,
  es: / [.,;:!?]|["“”„']|« | »|^[^¿]*\?/u,
  ja: /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}」][,.;:!?()"']|[,;:!?()"'][\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}「]|[“”]/u,
  "zh-Hans":
    /[\p{sc=Han}”][,.;:!?()"']|[,;:!?()"'][\p{sc=Han}“]|[「」、]$|\p{sc=Han}[A-Za-z0-9]|[A-Za-z0-9]\p{sc=Han}/u,
};

const wordOf = (words: string): RegExp => new RegExp(`(?<!\\p{L})(?:${words})(?!\\p{L})`, "iu");

suite("the page can say everything", () => {
  test("in each language of the notice, under its own name", () => {
    assert.deepEqual(
      allWords.map(({ tag }) => tag),
      [...languageTags],
    );
    for (const tag of languageTags) assert.equal(wordsIn(tag).tag, tag);
    assert.equal(new Set(allWords.map(({ languageName }) => languageName)).size, languageTags.length);
  });

  for (const words of allWords) {
    test(`${words.tag}: without a hole where a word should be, two spaces, or a brace`, () => {
      for (const text of everythingIn(words)) {
        assert.match(text, /\S/);
        assert.doesNotMatch(text, /undefined|null|\[object|NaN|[{}]| {2}|^ | $/, text);
        assert.doesNotMatch(text, own[words.tag], text);
      }
    });
  }

  const english = new Set(everythingIn(wordsIn("en")));
  for (const words of allWords.filter(({ tag }) => tag !== "en")) {
    test(`${words.tag}: no sentence is left in English`, () => {
      for (const text of everythingIn(words)) {
        assert.ok(!english.has(text) || text.replaceAll(sameEverywhere, "") === "", text);
        assert.doesNotMatch(
          text.replaceAll(sameEverywhere, ""),
          wordOf("the|your|you|this|phone|is|open|please|help desk"),
        );
      }
    });
  }

  test("politely, and without a promise of a time", () => {
    const all = (tag: LanguageTag): string => everythingIn(wordsIn(tag)).join("\n");
    assert.doesNotMatch(all("de"), wordOf("du|dein|deine[mnrs]?|dich|dir|öffne|tippe"));
    assert.doesNotMatch(all("fr"), wordOf("tu|ton|ta|tes|toi"));
    assert.doesNotMatch(all("es"), wordOf("tú|tu|tus|ti|contigo"));
    assert.doesNotMatch(all("zh-Hans"), /你/);
    for (const text of everythingIn(wordsIn("ja"))) assert.doesNotMatch(text, /(?:だ|である|しろ|せよ)。/);
    assert.doesNotMatch(all("en"), /within (?:a few )?(?:seconds|minutes)|immediately/);
  });
});
