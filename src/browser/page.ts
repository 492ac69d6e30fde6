/** What a phone's browser sees instead of a webmail. */
import { createHash } from "node:crypto";
import { escapeHtml, pageHead, phraseHtml } from "../notice/html.ts";
import { languages } from "../notice/languages.ts";
import type { Language } from "../notice/language.ts";
import { datumOf } from "../notice/phrase.ts";
import type { Datum, Phrase } from "../notice/phrase.ts";
import { style } from "../notice/style.ts";

export interface PhonePageOptions {
  /** As people call their employer. */
  readonly organisation: string;
  /** Where the help desk can be reached. */
  readonly helpUrl?: string | undefined;
  /** For people whose own language is not there. English where it is undefined. */
  readonly language?: Language["tag"] | undefined;
}

export interface PhonePage {
  readonly language: string;
  readonly html: Uint8Array;
  /** For programs (RFC 9457). */
  readonly problem: Uint8Array;
}

/** What a page in a browser has that a message has not: keyboard focus, paper, and a picture of its own. */
const pageStyle = [
  style,
  "body{padding:max(4vh,12px) 12px}",
  "svg{display:block;width:56px;height:56px;margin:0 0 16px;color:#0a6375}",
  "a:focus-visible{outline:3px solid #1a2129;outline-offset:3px}",
  ".ok p{margin:0}footer p{margin:0 0 8px}",
  "@media(prefers-color-scheme:dark){svg{color:#7fd3e0}a:focus-visible{outline-color:#fff}}",
  "@media(forced-colors:active){.button{border:2px solid}}",
  "@media print{body,main,.ok{background:#fff;color:#000;padding:0}main{max-width:none}.org,a,li::marker{color:#000}",
  // On paper a link is only as good as its address.
  "svg{display:none}.button{padding:0;background:none;color:#000}.button::after{content:' (' attr(href) ')'}",
  "footer{margin:0;padding:16px 0}section{break-inside:avoid}}",
].join("");

/** An envelope on a phone: drawn, so that nothing has to be fetched. */
const picture =
  '<svg viewBox="0 0 56 56" fill="none" stroke="currentColor" stroke-width="3" stroke-linejoin="round" ' +
  'stroke-linecap="round" aria-hidden="true" focusable="false"><path d="M38 16V8a5 5 0 0 0-5-5H13a5 5 0 0 0-5 5v40a5 5 0 0 0 5 5h20a5 5 0 0 0 5-5v-4"/>' +
  '<path d="M20 47h6"/><rect x="18" y="19" width="34" height="21" rx="3"/><path d="m19 21 16 11 16-11"/></svg>';

/** Nothing may load, run, be framed or be sent anywhere; the one style is named by its hash. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(pageStyle).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** @throws TypeError where the options cannot stand in a page; the configuration is checked before, so this is a bug. */
export function createPhonePages({ organisation, helpUrl }: PhonePageOptions): (language: Language) => PhonePage {
  const name = datumOf(organisation);
  if (name === undefined) throw new TypeError("organisation is empty");
  const help = helpUrl === undefined ? undefined : webAddress(helpUrl);
  // Written once: a page depends on nothing but its language.
  const pages = new Map(languages.map((language) => [language.tag, writePage(language, name, help)]));
  return function pageIn(language: Language): PhonePage {
    return pages.get(language.tag) ?? writePage(language, name, help);
  };
}

function webAddress(helpUrl: string): string {
  const url = URL.canParse(helpUrl) ? new URL(helpUrl) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") throw new TypeError("helpUrl is not a web address");
  return url.href;
}

function writePage({ tag, page }: Language, organisation: Datum, help: string | undefined): PhonePage {
  const html = [
    `${pageHead(tag, page.title)}${pageStyle}</style></head><body><main>${picture}`,
    `<p class="org">${say([organisation])}</p><h1>${say([page.title])}</h1><p>${say(page.why(organisation))}</p>`,
    `<section><h2>${say([page.stepsHeading])}</h2>`,
    `<ul>${page
      .steps(organisation)
      .map((step) => `<li>${say(step)}</li>`)
      .join("")}</ul></section>`,
    `<section class="ok"><h2>${escapeHtml(page.mistakenHeading)}</h2><p>${say(page.mistaken)}</p></section>`,
    `<footer><p>${say(page.ask(organisation, help !== undefined))}</p>`,
    help === undefined ? "" : `<p><a class="button" href="${escapeHtml(help)}">${escapeHtml(page.helpLink)}</a></p>`,
    "</footer></main></body></html>",
  ].join("");
  const problem = { type: "about:blank", title: page.title, status: 403, detail: page.problem, ...(help && { help }) };
  return { language: tag, html: Buffer.from(html), problem: Buffer.from(`${JSON.stringify(problem)}\n`) };
}

const NAME_LIMIT_BYTES = 120;

function say(phrase: Phrase): string {
  return phraseHtml(phrase, NAME_LIMIT_BYTES);
}
