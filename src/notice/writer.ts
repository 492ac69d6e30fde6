/** The message that a person finds instead of their mail. */
import { createHash } from "node:crypto";
import type { Finding } from "../policy/verdict.ts";
import { writeHtml } from "./html.ts";
import type { Language } from "./language.ts";
import { languageFor } from "./languages.ts";
import { composeLetter, forReader } from "./letter.ts";
import type { Letter } from "./letter.ts";
import { createSpellMoment } from "./moment.ts";
import type { Notice, NoticeCase, NoticeWriter } from "./notice.ts";
import { datumOf, plain } from "./phrase.ts";
import type { Datum } from "./phrase.ts";
import { writePlainText } from "./plain-text.ts";

export interface NoticeWriterOptions {
  /** As people call their employer. */
  readonly organisation: string;
  readonly from: { readonly name: string; readonly address: string };
  /** Where the help desk can be reached: the one address in the notice. */
  readonly helpUrl?: string | undefined;
}

/** 200 bytes: it stands in the text whole, and the text has 2 KB. */
export const HELP_URL_LIMIT_BYTES = 200;
/** A subject stays below 120 characters: phones cut longer ones, and it is still one line of a header. */
const SUBJECT_LIMIT_CHARS = 119;
const addressGrammar = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

/** @throws TypeError where the options cannot stand in a message; the configuration is checked before, so this is a bug. */
export function createNoticeWriter(options: NoticeWriterOptions): NoticeWriter {
  const organisation = checkName(options.organisation, "organisation");
  const { address } = options.from;
  if (!addressGrammar.test(address)) throw new TypeError("from.address is not a mail address");
  const from = { name: checkName(options.from.name, "from.name").datum, address };
  const helpUrl = checkHelpUrl(options.helpUrl);
  const spellMoment = createSpellMoment();

  return {
    write(noticeCase: NoticeCase): Notice {
      const about = forReader(noticeCase);
      const { device, deviceId, timezone } = about;
      const compose = (findings: readonly Finding[], language: Language): Letter =>
        composeLetter(
          {
            phase: noticeCase.phase ?? "held",
            findings,
            device,
            deviceId,
            timezone,
            organisation,
            helpUrl,
            spellMoment,
          },
          language,
        );
      // The words of one language stand for what is said in all of them.
      const digest = digestOf([from, compose(about.findings.map(withoutReportTime), languageFor(undefined))]);
      const { before } = noticeCase;
      const language = languageFor(
        before?.digest === digest ? before.language : [about.locale, about.device?.locale].join(","),
      );
      const letter = compose(about.findings, language);
      return {
        digest,
        language: language.tag,
        from,
        subject: subjectOf(letter),
        text: writePlainText(letter),
        html: writeHtml(letter),
      };
    },
  };
}

function subjectOf({ subject }: Letter): string {
  const lengths = [64, 40, 24, 12].map((datumBytes) => plain(subject, datumBytes));
  return lengths.find((text) => text.length <= SUBJECT_LIMIT_CHARS) ?? plain(subject, 4);
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
