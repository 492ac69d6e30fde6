/** The message that a person finds instead of their mail. */
import { createHash } from "node:crypto";
import type { Finding } from "../policy/verdict.ts";
import type { LanguageTag } from "../policy/wording.ts";
import { writeHtml } from "./html.ts";
import type { Language } from "./language.ts";
import { findLanguage, languageFor, languageOf } from "./languages.ts";
import { composeLetter, forReader, subjectOf } from "./letter.ts";
import type { Letter } from "./letter.ts";
import { createSpellMoment } from "./moment.ts";
import type { SpellMoment } from "./moment.ts";
import type { Notice, NoticeCase, NoticeWriter } from "./notice.ts";
import { datumOf } from "./phrase.ts";
import type { Datum } from "./phrase.ts";
import { writePlainText } from "./plain-text.ts";

export interface NoticeWriterOptions {
  /** As people call their employer. */
  readonly organisation: string;
  readonly from: { readonly name: string; readonly address: string };
  /** Where the help desk can be reached: the one address in the notice. */
  readonly helpUrl?: string | undefined;
  /** For people whose own language is not here. English where it is undefined. */
  readonly language?: LanguageTag | undefined;
}

/** 200 bytes: it stands in the text whole, and the text has 2 KB. */
export const HELP_URL_LIMIT_BYTES = 200;
const addressGrammar = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

/** What is told, before it takes the form of a message or of a page. */
export interface Letters {
  compose(about: NoticeCase, language: Language): Letter;
  /** What the person reads: what the record says first, then what the request asks for. */
  languageOf(about: Pick<NoticeCase, "device" | "locale">): Language;
  readonly spellMoment: SpellMoment;
}

/** @throws TypeError where the options cannot stand in a message; the configuration is checked before, so this is a bug. */
export function createLetters(options: Omit<NoticeWriterOptions, "from">): Letters {
  const organisation = checkName(options.organisation, "organisation");
  const helpUrl = checkHelpUrl(options.helpUrl);
  const fallback = languageOf(options.language ?? "en");
  const spellMoment = createSpellMoment();
  return {
    compose(noticeCase, language): Letter {
      const { phase = "held", findings, device, deviceId, timezone, campaigns = [], link } = forReader(noticeCase);
      return composeLetter(
        { phase, findings, device, deviceId, timezone, campaigns, organisation, helpUrl, link, spellMoment },
        language,
      );
    },
    // The record first: the organisation knows the person, and many phones send the same language whoever holds them.
    languageOf: ({ device, locale }) => findLanguage(device?.locale) ?? languageFor(locale, fallback),
    spellMoment,
  };
}

/** @throws TypeError as `createLetters`. */
export function createNoticeWriter(options: NoticeWriterOptions): NoticeWriter {
  const letters = createLetters(options);
  const { address } = options.from;
  if (!addressGrammar.test(address)) throw new TypeError("from.address is not a mail address");
  const from = { name: checkName(options.from.name, "from.name").datum, address };
  const english = languageOf("en");

  return {
    write(noticeCase: NoticeCase): Notice {
      const about = forReader(noticeCase);
      const { findings, campaigns = [] } = about;
      // The words of one language stand for what is said in all of them.
      const spoken = campaigns.filter(({ id }) => findings.some((each) => "campaign" in each && each.campaign === id));
      const digest = digestOf([
        from,
        letters.compose(
          { ...about, findings: findings.map(withoutReportTime), campaigns: [], link: undefined },
          english,
        ),
        spoken.map(({ id, wording }) => [id, [...wording]]),
        about.reminders ?? 0,
      ]);
      const { before } = noticeCase;
      const wished = letters.languageOf(about);
      const language = before?.digest === digest ? languageFor(before.language, wished) : wished;
      // An operator's words may leave no room for the longest names there are; ours always do.
      for (const words of spoken.length === 0 ? [spoken] : [spoken, []]) {
        const letter = letters.compose({ ...about, campaigns: words }, language);
        const [text, html] = [writePlainText(letter), writeHtml(letter)];
        if (text === undefined || html === undefined) continue;
        return { digest, language: language.tag, from, subject: subjectOf(letter), text, html };
      }
      throw new RangeError("the phrases of this language leave no room for names");
    },
  };
}

function withoutReportTime(finding: Finding): Finding {
  return "foundAt" in finding ? { ...finding, foundAt: undefined } : finding;
}

/** 96 bits: two wordings for one phone that share them would have to be looked for. */
function digestOf(seen: unknown): string {
  return createHash("sha256").update(JSON.stringify(seen)).digest("base64url").slice(0, 16);
}

function checkName(name: string, option: string): Datum {
  const datum = datumOf(name);
  if (datum === undefined) throw new TypeError(`${option} is empty`);
  return datum;
}

function checkHelpUrl(helpUrl: string | undefined): string | undefined {
  if (helpUrl === undefined) return undefined;
  const url = URL.canParse(helpUrl) ? new URL(helpUrl) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new TypeError("helpUrl is not a web address");
  }
  if (url.href.length > HELP_URL_LIMIT_BYTES) throw new TypeError("helpUrl is too long for a notice");
  return url.href;
}
