/** Where no source knows the id of a phone: its owner may say that it is a managed one of theirs. */
import type { Registration } from "../inventory/registrations.ts";
import { escapeHtml, phraseHtml, wordsHtml } from "../notice/html.ts";
import type { Language } from "../notice/language.ts";
import { datumOf } from "../notice/phrase.ts";
import type { Phrase } from "../notice/phrase.ts";
import type { SelfServiceWords } from "./words/words.ts";

const modelBytes = 48;

/** A form as that for a check is one: nothing to fill in, and no script. */
export function registrationForm(
  registration: Registration,
  path: string,
  language: Language,
  { register: words }: SelfServiceWords,
): string {
  switch (registration.kind) {
    case "none":
      return "";
    case "no-phone":
      return `<div class="ask" id="registration">${paragraph(words.noPhone)}</div>`;
    case "waiting":
      return `<div class="ask" id="registration">${paragraph(words.waiting)}</div>`;
    case "several":
      return form(path, language, [words.several, words.needsOperator], words.askOperator);
    case "one": {
      const { report } = registration.phone;
      const model = datumOf(report.model) ?? { datum: language.names[report.platform ?? "unknown"] };
      const agree = registration.needsOperator ? [words.needsOperator] : [];
      return form(path, language, [words.one(model), ...agree], words.itIs);
    }
  }
}

function form(path: string, { tag }: Language, texts: readonly Phrase[], button: string): string {
  return [
    `<form class="ask" id="registration" method="post" action="${escapeHtml(`${path}/register?lang=${tag}`)}">`,
    ...texts.map(paragraph),
    `<button id="register" class="button">${wordsHtml(button)}</button></form>`,
  ].join("");
}

function paragraph(text: Phrase): string {
  return `<p>${phraseHtml(text, modelBytes)}</p>`;
}
