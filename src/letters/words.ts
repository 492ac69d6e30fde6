/** What people are told when an order is taken back, and when their phone is in order. The rest is the notice itself. */

import type { LanguageTag } from "../policy/wording.ts";

export interface LetterWords {
  readonly correction: (title: string, organisation: string) => Written;
  readonly confirmation: (title: string, organisation: string) => Written;
}

interface Written {
  readonly subject: string;
  readonly paragraphs: readonly string[];
}

const en: LetterWords = {
  correction: (title, organisation) => ({
    subject: "You need not do anything: an order about your phone was taken back",
    paragraphs: [
      "We wrote to you about your phone and your company mail:",
      `“${title}”`,
      "That order was taken back. You need not do anything, and mail arrives on your phone as before.",
      `If it does not within some minutes, open your mail app once. If that does not help, the help desk of ${organisation} will.`,
    ],
  }),
  confirmation: (title, organisation) => ({
    subject: "Your phone is in order",
    paragraphs: [
      "We wrote to you about your phone and your company mail:",
      `“${title}”`,
      "Your phone fulfils this now. There is nothing more to do. Thank you.",
      organisation,
    ],
  }),
};

const de: LetterWords = {
  correction: (title, organisation) => ({
    subject: "Sie müssen nichts tun: Eine Anordnung zu Ihrem Telefon wurde zurückgenommen",
    paragraphs: [
      "Wir haben Ihnen zu Ihrem Telefon und Ihrer Firmenpost geschrieben:",
      `„${title}“`,
      "Diese Anordnung wurde zurückgenommen. Sie müssen nichts tun; E-Mails kommen wie zuvor auf Ihr Telefon.",
      `Falls nicht innerhalb weniger Minuten, öffnen Sie bitte einmal Ihre Mail-App. Hilft das nicht, hilft die IT von ${organisation}.`,
    ],
  }),
  confirmation: (title, organisation) => ({
    subject: "Ihr Telefon ist in Ordnung",
    paragraphs: [
      "Wir haben Ihnen zu Ihrem Telefon und Ihrer Firmenpost geschrieben:",
      `„${title}“`,
      "Ihr Telefon erfüllt das jetzt. Es ist nichts mehr zu tun. Vielen Dank.",
      organisation,
    ],
  }),
};

const fr: LetterWords = {
  correction: (title, organisation) => ({
    subject: "Vous n’avez rien à faire : une consigne concernant votre téléphone est annulée",
    paragraphs: [
      "Nous vous avions écrit au sujet de votre téléphone et de votre messagerie professionnelle :",
      `« ${title} »`,
      "Cette consigne est annulée. Vous n’avez rien à faire ; vos e-mails arrivent sur votre téléphone comme avant.",
      `Si ce n’est pas le cas d’ici quelques minutes, ouvrez une fois votre application de messagerie. Sinon, l’assistance informatique de ${organisation} vous aidera.`,
    ],
  }),
  confirmation: (title, organisation) => ({
    subject: "Votre téléphone est en règle",
    paragraphs: [
      "Nous vous avions écrit au sujet de votre téléphone et de votre messagerie professionnelle :",
      `« ${title} »`,
      "Votre téléphone est maintenant conforme. Vous n’avez plus rien à faire. Merci.",
      organisation,
    ],
  }),
};

const es: LetterWords = {
  correction: (title, organisation) => ({
    subject: "No tiene que hacer nada: se ha retirado una orden sobre su teléfono",
    paragraphs: [
      "Le escribimos acerca de su teléfono y de su correo de empresa:",
      `«${title}»`,
      "Esa orden se ha retirado. No tiene que hacer nada; el correo llega a su teléfono como antes.",
      `Si no llega en unos minutos, abra una vez su aplicación de correo. Si eso no ayuda, lo hará el soporte técnico de ${organisation}.`,
    ],
  }),
  confirmation: (title, organisation) => ({
    subject: "Su teléfono está en orden",
    paragraphs: [
      "Le escribimos acerca de su teléfono y de su correo de empresa:",
      `«${title}»`,
      "Su teléfono ya cumple lo que se pedía. No tiene que hacer nada más. Gracias.",
      organisation,
    ],
  }),
};

const ja: LetterWords = {
  correction: (title, organisation) => ({
    subject: "ご対応は不要です：お使いのスマートフォンに関する指示は取り消されました",
    paragraphs: [
      "お使いのスマートフォンと会社のメールについて、先に次のご案内をお送りしました。",
      `「${title}」`,
      "この指示は取り消されました。ご対応は不要です。メールはこれまでどおりスマートフォンに届きます。",
      `数分たっても届かない場合は、メールアプリを一度開いてください。それでも届かない場合は、${organisation}のヘルプデスクにご連絡ください。`,
    ],
  }),
  confirmation: (title, organisation) => ({
    subject: "お使いのスマートフォンは条件を満たしています",
    paragraphs: [
      "お使いのスマートフォンと会社のメールについて、先に次のご案内をお送りしました。",
      `「${title}」`,
      "お使いのスマートフォンは条件を満たしました。これ以上のご対応は不要です。ありがとうございました。",
      organisation,
    ],
  }),
};

const zhHans: LetterWords = {
  correction: (title, organisation) => ({
    subject: "您无需任何操作：有关您手机的要求已撤销",
    paragraphs: [
      "关于您的手机和公司邮箱，我们曾给您发过以下通知：",
      `“${title}”`,
      "该要求已撤销。您无需任何操作，邮件会照常发送到您的手机。",
      `如果几分钟后仍未收到邮件，请打开一次邮件应用。如果仍然不行，请联系${organisation}的 IT 服务台。`,
    ],
  }),
  confirmation: (title, organisation) => ({
    subject: "您的手机已符合要求",
    paragraphs: [
      "关于您的手机和公司邮箱，我们曾给您发过以下通知：",
      `“${title}”`,
      "您的手机现已符合要求，无需再做任何操作。谢谢。",
      organisation,
    ],
  }),
};

const byLanguage: Readonly<Record<LanguageTag, LetterWords>> = { en, de, fr, es, ja, "zh-Hans": zhHans };

export function wordsIn(language: LanguageTag): LetterWords {
  return byLanguage[language];
}
