/** What the page about a phone has to be able to say in a language, beside the words of the notice, which stand on it as they are. */
import type { RecheckEnd, RecheckStep } from "../../inventory/recheck.ts";
import type { LanguageTag } from "../../policy/wording.ts";
import type { Datum, Phrase } from "../../notice/phrase.ts";

/** A heading and what it means. */
export interface Told {
  readonly title: Phrase;
  readonly text: Phrase;
}

/** `name` is what the device is called in the language: "iPhone". */
export interface SelfServiceWords {
  readonly tag: LanguageTag;
  /** The language's own name. */
  readonly languageName: string;
  readonly chooseLanguage: string;
  /** What stands over the button. */
  readonly whenDone: Phrase;
  readonly check: string;
  readonly checkOnceMore: string;
  /** `clock` is a time of day. */
  readonly mayAskFrom: (clock: string) => Phrase;
  readonly checking: (name: string) => Told;
  /** The system has taken the order, and the phone has to answer. */
  readonly sent: (name: string) => Phrase;
  readonly answered: (name: string) => Told;
  /** Nothing stands in the way any more; the phone has not come for its mail yet. */
  readonly clear: (name: string) => Told;
  readonly back: (name: string) => Told;
  readonly well: (name: string, organisation: Datum) => Told;
  readonly ends: Readonly<Record<RecheckEnd, (name: string, organisation: Datum) => Told>>;
  readonly steps: Readonly<Record<Exclude<RecheckStep, "sent">, (name: string) => Phrase>>;
  /** Read aloud behind a step that was reached. */
  readonly done: string;
  readonly progress: string;
  /** What stands before the time since it was asked for. */
  readonly soFar: string;
  /** An estimate of that, never a promise. */
  readonly usually: (from: string, to: string) => Phrase;
  readonly seconds: (count: number) => string;
  readonly minutes: (count: number) => string;
  readonly unlock: (name: string) => Phrase;
  readonly keepOnline: (name: string) => Phrase;
  /** The distance of all times of day on the page from UTC. */
  readonly timesIn: (offset: string) => Phrase;
  /** Where a script follows what happens, and where none runs. */
  readonly follows: Phrase;
  readonly looksAgain: (seconds: number) => Phrase;
  readonly reload: string;
  /** Behind what is going on: what was found, to be opened. */
  readonly whatWasFound: string;
  /** Where no source knows the id: whether it is a managed phone of this person. */
  readonly register: {
    /** The one that it may be. */
    readonly one: (model: Datum) => Phrase;
    readonly itIs: string;
    readonly several: Phrase;
    readonly askOperator: string;
    readonly needsOperator: Phrase;
    readonly waiting: Phrase;
    readonly noPhone: Phrase;
  };
  readonly tooOld: Told;
  readonly noSuchPage: Told;
  readonly away: Told;
  readonly tooMany: Told;
}
