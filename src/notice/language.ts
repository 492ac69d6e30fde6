/** What a language has to be able to say. One file per language (`en.ts`) holds every word that a person reads. */
import type { Platform } from "../policy/device.ts";
import type { LanguageTag } from "../policy/wording.ts";
import type { MomentWords } from "./moment.ts";
import type { Datum, Phrase } from "./phrase.ts";

/** What a notice can be about. */
export type Matter =
  | { readonly kind: "apps"; readonly apps: readonly [Datum, ...Datum[]]; readonly onlyInWorkProfile: boolean }
  /** `minimum` with the name of the system before it where that is known: "iOS 26.2". */
  | { readonly kind: "os"; readonly minimum: Phrase }
  /** `minimum` is a day, spelled out in the language. */
  | { readonly kind: "patch"; readonly minimum: Phrase }
  /** The management system asks for something that is not the removal of an app that we know. */
  | { readonly kind: "reported" }
  | { readonly kind: "switched-off"; readonly why: Datum | undefined }
  | { readonly kind: "not-enrolled" }
  | { readonly kind: "owner-mismatch" }
  /** Two phones go by one id, and nobody has said yet whose it is. */
  | { readonly kind: "id-contested" }
  /** `reportedAt` is spelled out already; undefined where it cannot be. */
  | { readonly kind: "stale"; readonly reportedAt: string | undefined; readonly withinHours: number }
  /** Without apps it is something else that cannot be seen, such as the version of the system. */
  | { readonly kind: "uninspectable"; readonly apps: readonly Datum[] }
  | { readonly kind: "compromised" }
  | { readonly kind: "record-unreadable" }
  | { readonly kind: "nothing-known" };

/** `warned`: mail still flows, and the notice is one more message. `held`: it stands where the mail was. */
export type Phase = "warned" | "held";

/** Whom it is told to, and about which phone. */
export interface Setting {
  readonly phase: Phase;
  readonly organisation: Datum;
  readonly platform: Platform | undefined;
  /** What the device is called in the language. */
  readonly name: string;
  /** The app by which the person sees the management system. */
  readonly manager: Datum | undefined;
}

/** One matter in words, in the order in which a person needs them. */
export interface Telling {
  /** Of fewer than 120 characters with names of 24 bytes. It is the title too. */
  readonly subject: Phrase;
  /** What is asked for, and what was found instead. What follows from it for the mail is the consequence. */
  readonly why: Phrase;
  readonly steps: readonly [Phrase, ...Phrase[]];
  /** All of it in one step, where another matter leads. */
  readonly briefly: Phrase;
  /** What brings the mail back. Undefined: the next report of the phone. */
  readonly after?: Phrase;
}

type ByPhase<Words> = Readonly<Record<Phase, Words>>;

export interface Language extends MomentWords {
  readonly tag: LanguageTag;
  /** What stands between two sentences. */
  readonly sentenceGap: string;
  /** What people call a thing of this platform; `unknown` where the platform is. */
  readonly names: Readonly<Record<Platform | "unknown", string>>;
  tell(matter: Matter, setting: Setting): Telling;
  /** What it means for the mail. */
  consequence(setting: Setting, hasDeadline: boolean): Phrase;
  /** The last step, where the phone has to report that something was changed. */
  report(setting: Setting): Phrase;
  /** A list of names, the first three of them. */
  list(data: readonly Datum[]): Phrase;
  readonly about: AboutWords;
  readonly stepsHeading: ByPhase<string>;
  readonly afterReport: ByPhase<Phrase>;
  /** While mail still flows, and it is not the phone's report that settles the matter. */
  readonly afterWarning: Phrase;
  /** Of the link to the page on which the phone can be checked again. */
  readonly checkLink: string;
  readonly meanwhile: { readonly heading: string; readonly items: ByPhase<readonly Phrase[]> };
  /** `helpFollows`: an address stands right behind it. */
  ask(organisation: Datum, helpFollows: boolean): Phrase;
  readonly details: {
    readonly heading: string;
    readonly phone: string;
    readonly phoneId: string;
    readonly account: string;
    readonly fields: string;
    /** What stands between a label and its value. */
    readonly colon: string;
    readonly comma: string;
  };
  readonly page: PageWords;
}

/** What the notice is about, item by item, with the time that is left for each. */
interface AboutWords {
  readonly heading: string;
  os(minimum: Phrase): Phrase;
  patch(minimum: Phrase): Phrase;
  readonly setUp: Phrase;
  readonly checkIn: Phrase;
  readonly helpDesk: Phrase;
  /** What is on the phone now. */
  now(version: Phrase): Phrase;
  shownAs(name: Datum): Phrase;
  at(moment: string): Phrase;
  /** The minute that is named still belongs to the person. */
  due(moment: string): Phrase;
  readonly dueNow: Phrase;
  rule(title: Datum): Phrase;
  more(count: number): Phrase;
  readonly unnamed: string;
}

/** What a phone's browser shows instead of a webmail. */
export interface PageWords {
  readonly title: string;
  why(organisation: Datum): Phrase;
  readonly stepsHeading: string;
  steps(organisation: Datum): readonly Phrase[];
  readonly mistakenHeading: string;
  readonly mistaken: Phrase;
  /** `helpFollows`: a link stands right behind it. */
  ask(organisation: Datum, helpFollows: boolean): Phrase;
  readonly helpLink: string;
  /** For programs, in one sentence. */
  readonly problem: string;
}
