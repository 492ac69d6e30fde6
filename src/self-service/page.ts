/** The page about a phone, written out: one thing to look at, and everything else below it. */
import { createHash } from "node:crypto";
import type { ConnectorAbilities } from "../inventory/connector.ts";
import type { Registration } from "../inventory/registrations.ts";
import { escapeHtml, foundBox, items, pageHead, phraseHtml, wordsHtml } from "../notice/html.ts";
import type { Language } from "../notice/language.ts";
import { languageOf } from "../notice/languages.ts";
import type { Letter } from "../notice/letter.ts";
import { plain } from "../notice/phrase.ts";
import type { Datum, Phrase } from "../notice/phrase.ts";
import { stepsOf } from "../notice/plain-text.ts";
import type { Room } from "../notice/plain-text.ts";
import type { LanguageTag } from "../policy/wording.ts";
import { drawingOf } from "./drawings.ts";
import { registrationForm } from "./registration-form.ts";
import { LOOK_AGAIN_SECONDS } from "./script.ts";
import type { Standing } from "./standing.ts";
import { pageStyle } from "./style.ts";
import { allWords, wordsIn } from "./words/all.ts";
import type { SelfServiceWords, Told } from "./words/words.ts";

export interface PageCase {
  readonly letter: Letter;
  readonly standing: Standing;
  readonly registration: Registration;
  /** What the device is called in the language. */
  readonly name: string;
  readonly now: Date;
  /** A time of day, with seconds, in the owner's zone. */
  readonly clock: (moment: Date) => string;
  /** How far that is from UTC. */
  readonly offset: string;
  /** How long the source usually takes, where that is known. */
  readonly refresh: ConnectorAbilities["refresh"];
  /** The path of this page, without a query. */
  readonly path: string;
  /** Of all that the page says but the time: another one is another page. */
  readonly mark: string;
}

/** Where the browser finds the script; it has no token in it, and may be kept. */
export const scriptPath = "/postern/page.js";

/** What is said in a sentence is short; what was found is cut as it is in the notice. */
const room: Room = { items: 8, others: 8, remarks: true, meanwhile: true, link: false, datumBytes: 120 };

/** By this one the page is allowed its style; nothing else may be loaded, and nothing may frame it. */
export const styleHash = createHash("sha256").update(pageStyle).digest("base64");

export function writePage(page: PageCase): Uint8Array {
  const { letter, standing, mark, now, path } = page;
  const { language, organisation } = letter;
  const words = wordsIn(language.tag);
  const told = toldOf(page, words);
  const isOver = standing.stage === "back";
  const data = [
    ["stage", standing.stage],
    ["mark", mark],
    ["now", String(now.getTime())],
    ["say", `${plain(told.title, room.datumBytes)}${language.sentenceGap}${plain(told.text, room.datumBytes)}`],
    ...(isOver ? [] : [["events", `${path}/events`]]),
  ];
  const attributes = data.map(([name = "", value = ""]) => ` data-${name}="${escapeHtml(value)}"`).join("");
  const view = [
    `<div id="view"${attributes}>`,
    drawingOf(standing),
    `<h1 tabindex="-1">${say(told.title)}</h1><p class="lead">${say(told.text)}</p>`,
    bodyOf(page, words),
    "</div>",
  ].join("");
  return shell({
    language,
    organisation,
    title: told.title,
    view,
    // A page on which something is going on looks again by itself, also without a script.
    looksAgain: standing.stage === "checking" || standing.stage === "answered" || standing.stage === "clear",
    footer: `${askFor(letter)}${detailsOf(letter)}${tongues(language.tag)}`,
  });
}

/** A page that knows nothing of any phone. */
export function writeMessage(
  told: Told,
  { language, organisation, helpUrl }: Pick<Letter, "language" | "organisation" | "helpUrl">,
): Uint8Array {
  const view = `<div id="view"><h1>${say(told.title)}</h1><p class="lead">${say(told.text)}</p></div>`;
  const help = askFor({ language, ask: language.ask(organisation, helpUrl !== undefined), helpUrl });
  const footer = `${help}${tongues(language.tag)}`;
  return shell({ language, organisation, title: told.title, view, looksAgain: false, footer });
}

interface Shell {
  readonly language: Language;
  readonly organisation: Datum;
  readonly title: Phrase;
  readonly view: string;
  readonly looksAgain: boolean;
  readonly footer: string;
}

function shell({ language, organisation, title, view, looksAgain, footer }: Shell): Uint8Array {
  const html = [
    pageHead(language.tag, `${plain(title, 48)} · ${plain([organisation], 48)}`),
    `${pageStyle}</style><script src="${scriptPath}" defer></script>`,
    looksAgain ? `<noscript><meta http-equiv="refresh" content="${LOOK_AGAIN_SECONDS}"></noscript>` : "",
    `</head><body><main><p class="org">${say([organisation])}</p>${view}`,
    `<p id="spoken" class="unseen" role="status"></p><footer>${footer}</footer></main></body></html>`,
  ].join("");
  return Buffer.from(html);
}

function toldOf({ letter, standing, name }: PageCase, words: SelfServiceWords): Told {
  const { organisation } = letter;
  switch (standing.stage) {
    case "to-do":
      return { title: letter.subject, text: letter.why };
    case "checking": {
      const { title, text } = words.checking(name);
      return { title, text: standing.steps.sent === undefined ? text : words.sent(name) };
    }
    case "answered":
      return words.answered(name);
    case "ended":
      return words.ends[standing.end ?? "no-answer"](name, organisation);
    case "clear":
      return words.clear(name);
    case "back":
      return words.back(name);
    case "well":
      return words.well(name, organisation);
  }
}

function bodyOf(page: PageCase, words: SelfServiceWords): string {
  const { letter, standing, registration, path } = page;
  const registering = registrationForm(registration, path, letter.language, words);
  switch (standing.stage) {
    case "to-do":
      return [foundBox(room, letter), askAgain(page, words), registering, stepsIn(letter), meanwhileIn(letter)].join(
        "",
      );
    case "ended":
      return [
        standing.end === "no-source" ? "" : progressOf(page, words),
        standing.end === "still-there" ? foundBox(room, letter) + stepsIn(letter) : "",
        standing.mayAsk ? askAgain(page, words) : lookAgain(words),
        registering,
        standing.end === "still-there" ? "" : folded(letter, words),
        meanwhileIn(letter),
      ].join("");
    case "checking":
    case "answered":
      return [
        clockOf(page, words),
        hintOf(page, words),
        progressOf(page, words),
        followsOf(words),
        folded(letter, words),
      ].join("");
    case "clear":
      return [progressOf(page, words), followsOf(words)].join("");
    case "back":
      return progressOf(page, words);
    case "well":
      return "";
  }
}

/** A form that has nothing to fill in: the address is the secret. It works without a script, and once is enough. */
function askAgain({ standing, path, clock, letter }: PageCase, words: SelfServiceWords): string {
  if (!standing.mayAsk) return "";
  const { language } = letter;
  if (standing.mayAskFrom !== undefined) {
    // A button that does nothing yet is none. The page hears when the time has come; without a script, a link looks.
    return `<div class="ask"><p>${say(words.mayAskFrom(clock(standing.mayAskFrom)))}</p>${lookAgain(words)}</div>`;
  }
  const isFirst = standing.stage === "to-do";
  return [
    `<form class="ask" method="post" action="${escapeHtml(`${path}/check?lang=${language.tag}`)}">`,
    isFirst ? `<p>${say(words.whenDone)}</p>` : "",
    `<button id="check" class="button">${wordsHtml(isFirst ? words.check : words.checkOnceMore)}</button></form>`,
  ].join("");
}

function lookAgain({ tag, reload }: SelfServiceWords): string {
  return `<p class="without"><a class="again" href="?lang=${tag}">${escapeHtml(reload)}</a></p>`;
}

function clockOf({ standing, now }: PageCase, words: SelfServiceWords): string {
  const { asked } = standing.steps;
  if (asked === undefined) return "";
  // Counted aloud each second it would drown everything else.
  return `<p class="clock">${wordsHtml(words.soFar)} <b role="timer" aria-live="off" data-since="${asked.getTime()}">${elapsed(asked, now)}</b></p>`;
}

function elapsed(since: Date, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - since.getTime()) / 1000));
  return `${String(Math.floor(seconds / 60))}:${String(seconds % 60).padStart(2, "0")}`;
}

function hintOf({ standing, name, refresh }: PageCase, words: SelfServiceWords): string {
  if (standing.stage !== "checking") return "";
  const usual = refresh === undefined ? [] : [words.usually(...spans(refresh.usualSeconds, words))];
  const hints = [refresh?.unlockFirst === false ? words.keepOnline(name) : words.unlock(name), ...usual];
  return `<p class="hint">${hints.map(say).join("<br>")}</p>`;
}

function spans([from, to]: readonly [number, number], words: SelfServiceWords): [string, string] {
  const span = (seconds: number): string =>
    seconds <= 90 ? words.seconds(seconds) : words.minutes(Math.round(seconds / 60));
  return [span(from), span(to)];
}

const way = ["asked", "answered", "clear", "mail-back"] as const;

function progressOf({ standing, name, clock, offset }: PageCase, words: SelfServiceWords): string {
  const { steps, stage } = standing;
  const isOver = stage === "ended";
  const reached = way.filter((step) => steps[step] !== undefined);
  // What was passed over, because nobody had to wait for it, is no step that is still to come.
  const last = way.findLastIndex((step) => steps[step] !== undefined);
  const next = isOver ? undefined : way.find((step, place) => place > last && steps[step] === undefined);
  const shown = isOver ? reached : way.filter((step, place) => place > last || steps[step] !== undefined);
  if (shown.length === 0) return "";
  const lines = shown.map((step) => {
    const at = steps[step];
    const label = `<span>${say(words.steps[step](name))}</span>`;
    if (at === undefined) return `<li${step === next ? ' class="now" aria-current="step"' : ""}>${label}</li>`;
    const done = `<i aria-hidden="true"></i>${label}<span class="unseen">${escapeHtml(words.done)}</span>`;
    return `<li class="done">${done}<time datetime="${at.toISOString()}">${escapeHtml(clock(at))}</time></li>`;
  });
  return [
    `<section aria-label="${escapeHtml(words.progress)}"><ol class="way" role="list">${lines.join("")}</ol>`,
    `<p class="note">${say(words.timesIn(offset))}</p></section>`,
  ].join("");
}

function followsOf(words: SelfServiceWords): string {
  return [
    `<p class="note with">${say(words.follows)}</p>`,
    `<p class="note without">${say(words.looksAgain(LOOK_AGAIN_SECONDS))}</p>${lookAgain(words)}`,
  ].join("");
}

/** While something is going on, what it is about is out of the way. */
function folded(letter: Letter, words: SelfServiceWords): string {
  return `<details><summary>${escapeHtml(words.whatWasFound)}</summary>${foundBox(room, letter)}${stepsIn(letter)}</details>`;
}

function stepsIn(letter: Letter): string {
  return `<section><h2>${wordsHtml(letter.stepsHeading)}</h2><ol>${items(stepsOf(letter, room).map(say))}</ol></section>`;
}

function meanwhileIn({ language, meanwhile }: Letter): string {
  return `<section><h2>${escapeHtml(language.meanwhile.heading)}</h2><ul>${items(meanwhile.map(say))}</ul></section>`;
}

function askFor({ language, ask, helpUrl }: Pick<Letter, "language" | "ask" | "helpUrl">): string {
  const link = helpUrl && `<a href="${escapeHtml(helpUrl)}" rel="noreferrer">${escapeHtml(language.page.helpLink)}</a>`;
  return `<p>${say(ask)}${link === undefined ? "" : ` ${link}`}</p>`;
}

function detailsOf({ language, details }: Letter): string {
  const rows = details.map(([label, value]) => `<dt>${escapeHtml(label)}</dt><dd>${say(value)}</dd>`);
  return `<h2>${escapeHtml(language.details.heading)}</h2><dl>${rows.join("")}</dl>`;
}

/** Each language by its own name, in its own voice. */
function tongues(current: LanguageTag): string {
  const all = allWords.map(({ tag, languageName }) => {
    const name = escapeHtml(languageName);
    if (tag === current) return `<span lang="${tag}" aria-current="true">${name}</span>`;
    return `<a href="?lang=${tag}" lang="${tag}" hreflang="${tag}">${name}</a>`;
  });
  return `<nav aria-label="${escapeHtml(wordsIn(current).chooseLanguage)}"><ul role="list">${items(all)}</ul></nav>`;
}

function say(phrase: Phrase): string {
  return phraseHtml(phrase, room.datumBytes);
}

/** For pages on which nothing of a person's stands. */
export function plainLetter(
  tag: LanguageTag,
  organisation: Datum,
  helpUrl: string | undefined,
): Pick<Letter, "language" | "organisation" | "helpUrl"> {
  return { language: languageOf(tag), organisation, helpUrl };
}
