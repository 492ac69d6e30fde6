import type { DeviceId, DeviceRecord } from "../policy/device.ts";
import type { Finding } from "../policy/verdict.ts";
import type { Phase } from "./language.ts";
import type { CampaignWords } from "./template.ts";

/** What a person is told: once, in the language of the phone, in the words of somebody who wants to help. */
export interface Notice {
  /**
   * Of everything a reader is told, in whatever language: the notice is delivered anew when this changes. Only the times of
   * reports and the link are left out of it. A phone reports every few hours, and the same finding must not arrive as a new message
   * each time; a link is another one each day.
   */
  readonly digest: string;
  /** BCP 47: the language it is written in. */
  readonly language: string;
  readonly from: { readonly name: string; readonly address: string };
  /** One line of fewer than 120 characters, safe in a header. */
  readonly subject: string;
  /** Plain text, lines end with "\r\n", under 2 KB. */
  readonly text: string;
  /** One whole page without network images, scripts or styles from elsewhere, under 6 KB. */
  readonly html: string;
}

/** What a notice is about. */
export interface NoticeCase {
  /** `held` where it is not said. */
  readonly phase?: Phase | undefined;
  /**
   * In the order of their weight; demands with a deadline are told the nearest first. What comes first then decides what the
   * notice is about, and the others are steps of it.
   */
  readonly findings: readonly Finding[];
  readonly device: DeviceRecord | undefined;
  readonly deviceId: DeviceId;
  /** BCP 47, or a whole Accept-Language: what the request asks for. What the record says goes before it. */
  readonly locale?: string | undefined;
  /**
   * What the person was told last. As long as there is nothing else to say, it is said in the same language: two requests of
   * one phone may ask for two, and must not each replace the message of the other.
   */
  readonly before?: Pick<Notice, "digest" | "language"> | undefined;
  /** IANA name; the record's own where it is undefined, and UTC where there is none. */
  readonly timezone?: string | undefined;
  /** How many reminders are due: with each the notice comes anew, in the same words. */
  readonly reminders?: number | undefined;
  /** The address of the page about this phone; left out where the rest leaves no room for it. Undefined: there is none. */
  readonly link?: string | undefined;
  /** Where a campaign has words of its own for what it asks. */
  readonly campaigns?: readonly CampaignWords[] | undefined;
}

export interface NoticeWriter {
  write(about: NoticeCase): Notice;
}
