/** What a language has to be able to say. One file per language (`en.ts`) holds every word that a person reads. */
import type { Platform } from "../policy/device.ts";
import type { MomentWords } from "./moment.ts";
import type { Datum, Phrase } from "./phrase.ts";

/** What a notice can be about. */
export type Matter =
  | { readonly kind: "apps"; readonly apps: readonly [Datum, ...Datum[]]; readonly onlyInWorkProfile: boolean }
  /** The management system asks for something that is not the removal of an app that we know. */
  | { readonly kind: "reported" }
  | { readonly kind: "switched-off"; readonly why: Datum | undefined }
  | { readonly kind: "not-enrolled" }
  | { readonly kind: "owner-mismatch" }
  /** `reportedAt` is spelled out already; undefined where it cannot be. */
  | { readonly kind: "stale"; readonly reportedAt: string | undefined; readonly maxAgeHours: number }
  | { readonly kind: "uninspectable"; readonly apps: readonly [Datum, ...Datum[]] }
  | { readonly kind: "record-unreadable" }
  | { readonly kind: "nothing-known" };

/** Whom it is told to, and about which phone. */
export interface Setting {
  readonly organisation: Datum;
  readonly platform: Platform | undefined;
  /** The app by which the person sees the management system. */
  readonly manager: Datum | undefined;
}

/** One matter in words, in the order in which a person needs them. */
export interface Telling {
  /** Fewer than 120 characters with names of 24 bytes. */
  readonly subject: Phrase;
  readonly title: Phrase;
  readonly why: Phrase;
  readonly steps: readonly Phrase[];
  /** What brings the mail back, and how soon. */
  readonly after: Phrase;
}

export interface Language extends MomentWords {
  /** BCP 47. */
  readonly tag: string;
  tell(matter: Matter, setting: Setting): Telling;
  /** The same matter in one sentence, where another one leads. */
  also(matter: Matter, setting: Setting): Phrase;
  readonly instead: Phrase;
  readonly found: {
    readonly heading: string;
    shownAs(name: Datum): Phrase;
    at(moment: string): Phrase;
    due(moment: string): Phrase;
    readonly dueNow: Phrase;
    rule(title: Datum): Phrase;
    more(count: number): Phrase;
    readonly unnamed: string;
  };
  /** What is told instead while mail still flows: the steps are the same. */
  readonly warned: {
    tell(matter: Matter, setting: Setting): Omit<Telling, "steps">;
    readonly stepsHeading: string;
    readonly meanwhile: Language["meanwhile"];
  };
  readonly stepsHeading: string;
  readonly meanwhile: { readonly heading: string; readonly items: readonly Phrase[] };
  /** `helpFollows`: an address stands right behind it. */
  ask(organisation: Datum, helpFollows: boolean): Phrase;
  readonly details: {
    readonly heading: string;
    readonly phone: string;
    readonly phoneId: string;
    readonly account: string;
    readonly fields: string;
    /** "iPhone", "Android phone" …: where no model is known. */
    phoneName(platform: Platform | undefined): string;
  };
  readonly page: PageWords;
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
