/** What a mail program is told to show when it is refused, in the languages of the notice. */
import { languageFor } from "../notice/languages.ts";
import { datumOf, phrase, plain } from "../notice/phrase.ts";
import type { Datum, Phrase } from "../notice/phrase.ts";
import type { RefusalText } from "./refusal.ts";

/** By primary language. No blame, and nothing that is not certain: not every refused program runs on a phone. */
const sentences: ReadonlyMap<string, (organisation: Datum) => Phrase> = new Map([
  [
    "en",
    (name) =>
      phrase`${name} does not show mail in this program. On a phone, please use the mail app that is set up for ${name}. The help desk knows which programs work on a computer.`,
  ],
  [
    "de",
    (name) =>
      phrase`${name} zeigt E-Mails in diesem Programm nicht an. Bitte nutzen Sie auf einem Smartphone die Mail-App, die für ${name} eingerichtet ist. Welche Programme auf einem Computer funktionieren, weiß der Helpdesk.`,
  ],
  [
    "fr",
    (name) =>
      phrase`${name} n’affiche pas les e-mails dans ce programme. Sur un téléphone, utilisez l’app de messagerie configurée pour ${name}. Le service d’assistance sait quels programmes fonctionnent sur un ordinateur.`,
  ],
  [
    "es",
    (name) =>
      phrase`${name} no muestra el correo en este programa. En un teléfono, use la aplicación de correo configurada para ${name}. El servicio de asistencia sabe qué programas funcionan en un ordenador.`,
  ],
  [
    "ja",
    (name) =>
      phrase`${name} では、このプログラムにメールを表示していません。スマートフォンでは、${name} 用に設定されたメールアプリをお使いください。パソコンで使えるプログラムについては、ヘルプデスクにお問い合わせください。`,
  ],
  [
    "zh",
    (name) =>
      phrase`${name} 不在此程序中显示邮件。在手机上，请使用为 ${name} 设置的邮件应用。如需了解电脑上可用的程序，请咨询服务台。`,
  ],
]);

const NAME_LIMIT_BYTES = 120;

/** @throws TypeError where the organisation cannot be shown; the configuration is checked before, so this is a bug. */
export function createWording(
  organisation: string,
  helpUrl: string | undefined,
): (acceptLanguage: string | undefined) => RefusalText {
  const name = datumOf(organisation);
  if (name === undefined) throw new TypeError("organisation is empty");
  return function wordsFor(acceptLanguage): RefusalText {
    const { tag } = languageFor(acceptLanguage);
    const sentence = sentences.get(tag.split("-", 1)[0] ?? "") ?? sentences.get("en");
    const text = sentence === undefined ? "" : plain(sentence(name), NAME_LIMIT_BYTES);
    return { language: tag, text: helpUrl === undefined ? text : `${text} ${helpUrl}` };
  };
}
