/** The words of a letter: those of the notice, or that an order was taken back, or that all is well. */
import { languageFor, languageOf } from "../notice/languages.ts";
import type { NoticeWriter } from "../notice/notice.ts";
import { datumOf } from "../notice/phrase.ts";
import type { DeviceRecord } from "../policy/device.ts";
import type { Finding } from "../policy/verdict.ts";
import type { LanguageTag } from "../policy/wording.ts";
import type { Compose } from "./round.ts";
import { wordsIn } from "./words.ts";

export interface ComposeOptions {
  readonly notices: NoticeWriter;
  /** The address of the page about a phone; undefined where there are no pages, or the phone has no owner. */
  readonly linkTo?: ((record: DeviceRecord, until: Date | undefined) => string | undefined) | undefined;
  readonly organisation: string;
  readonly from: { readonly name: string; readonly address: string };
  /** For people whose language is none of ours, or of whom nobody knows it. */
  readonly language?: LanguageTag | undefined;
}

export function createCompose({
  notices,
  linkTo,
  organisation,
  from,
  language: fallback = "en",
}: ComposeOptions): Compose {
  return (letter) => {
    const { record } = letter;
    const language = languageFor(record?.locale, languageOf(fallback)).tag;
    if (letter.kind === "announcement" || letter.kind === "reminder") {
      const { phase, findings, record: device } = letter;
      const link = linkTo?.(device, lastDeadline(findings));
      const about = { phase, findings, device, deviceId: device.id, campaigns: [letter.campaign], link };
      const { subject, text, html } = notices.write(about);
      return { subject, text, html, language, from };
    }
    // A title is an operator's words; it becomes one line without anything that could steer a mail program.
    const title = datumOf(letter.campaign.title)?.datum ?? letter.campaign.id;
    const { subject, paragraphs } = wordsIn(language)[letter.kind](title, organisation);
    return { subject, text: `${paragraphs.join("\r\n\r\n")}\r\n`, html: undefined, language, from };
  };
}

/** A letter is written once: its link has to work until what it says is over. */
function lastDeadline(findings: readonly Finding[]): Date | undefined {
  const deadlines = findings.flatMap((finding) => ("deadline" in finding ? (finding.deadline?.getTime() ?? []) : []));
  return deadlines.length === 0 ? undefined : new Date(Math.max(...deadlines));
}
