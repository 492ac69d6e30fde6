/** An operator's own words for a campaign: text with a closed set of places for data in it. */
import * as z from "zod";
import { languageTags, placeholders } from "../policy/wording.ts";
import type { LanguageTag, Placeholder, Template, Wording } from "../policy/wording.ts";
import { nearest } from "./spelling.ts";
import { bad, good } from "./reading.ts";
import type { Reading } from "./reading.ts";
import { text, wording as oneLine } from "./schema-parts.ts";

/** A subject has 119 characters; these leave room for two names. */
const SUBJECT_LIMIT = 80;
const SENTENCES_LIMIT = 400;
const STEP_LIMIT = 200;
const STEPS_LIMIT = 6;
/** All words of one language together, in UTF-8: a notice has 2047 bytes, and what stands around these takes the rest. */
const WORDING_LIMIT_BYTES = 700;
/** What is gained where ours are left out. */
const OWN_STEPS_BYTES = 300;

/** What a place counts for: the longest that can stand there where room is short. */
const placeBytes: Readonly<Record<Placeholder, number>> = {
  app: 64,
  deadline: 130,
  device: 20,
  helpUrl: 200,
  minimum: 24,
  organisation: 12,
  version: 24,
};

/** Controls, changes of direction and characters that nobody sees would let the text show something else than it says. */
const unsafe = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/u;

function readTemplate(written: string, limit: number, places: readonly Placeholder[]): Reading<Template> {
  if (written.trim() === "") return bad("must not be empty");
  if (written.trim() !== written) return bad("must not begin or end with a space");
  if (written.length > limit) return bad(`must have at most ${limit} characters`);
  if (unsafe.test(written)) return bad("must be one line without control characters and characters that nobody sees");
  if (written.includes("<")) return bad("must have no <: it is text, and never HTML");
  const parts: (string | { readonly place: Placeholder })[] = [];
  for (const [piece] of written.matchAll(/\{[^{}]*\}|[^{}]+|[{}]/g)) {
    if (!/^[{}]/.test(piece)) {
      parts.push(piece);
      continue;
    }
    const name = piece.slice(1, -1);
    const place = placeholders.find((known) => piece === `{${known}}`);
    if (place === undefined) return bad(unknownPlace(name, places));
    if (!places.includes(place)) return bad(`has no room for {${place}}; use one of ${listed(places)}`);
    parts.push({ place });
  }
  return good(parts);
}

/** A name that is none of ours may be anything that was pasted there, so it is not repeated. */
function unknownPlace(name: string, places: readonly Placeholder[]): string {
  const meant = nearest(name, places);
  const hint = meant === undefined ? "" : `; did you mean {${meant}}?`;
  return `has braces around something else than ${listed(places)}${hint}`;
}

function listed(places: readonly Placeholder[]): string {
  return places.map((place) => `{${place}}`).join(", ");
}

const everywhere = placeholders;
const inSubject = placeholders.filter((place) => place !== "helpUrl");

function template(limit: number, places: readonly Placeholder[], description: string, example: string) {
  return text((written) => readTemplate(written, limit, places), {
    description: `${description} 1 to ${limit} characters on one line; in braces ${listed(places)}.`,
    examples: [example],
    maxLength: limit,
  });
}

function bytesOf(template: Template): number {
  return template.reduce(
    (sum, part) => sum + (typeof part === "string" ? Buffer.byteLength(part) : placeBytes[part.place]),
    0,
  );
}

const wording = z
  .strictObject({
    title: oneLine({
      description: "The campaign's title in this language.",
      examples: ["TikTok ist auf Geräten mit Firmen-E-Mails nicht erlaubt"],
    }).optional(),
    subject: template(
      SUBJECT_LIMIT,
      inSubject,
      "The subject, which is the title too. Where it gets too long with a name in it, the usual one stands.",
      "Please remove {app} from your {device}",
    ).optional(),
    why: template(
      SENTENCES_LIMIT,
      everywhere,
      "What is asked for and why. What it means for the mail is said behind it.",
      "{organisation} has decided that {app} must not be on phones with company mail.",
    ).optional(),
    steps: z
      .array(
        template(STEP_LIMIT, everywhere, "One step.", "Touch and hold {app}, tap Remove App, and then Delete App."),
      )
      .min(1)
      .max(STEPS_LIMIT)
      .meta({ description: `What to do, in order; in the place of all usual steps. 1 to ${STEPS_LIMIT} steps.` })
      .optional(),
    after: template(
      SENTENCES_LIMIT,
      everywhere,
      "What happens when it is done.",
      "Your mail comes back within a few minutes.",
    ).optional(),
  })
  .transform((written, context): Wording => {
    const { title, subject, why, steps, after } = written;
    const all = [subject, why, after, ...(steps ?? [])].filter((one) => one !== undefined);
    const report = (message: string): void => {
      context.issues.push({ code: "custom", message, input: undefined });
    };
    if (Object.keys(written).length === 0) report("must have at least one of title, subject, why, steps, after");
    const bytes = all.map(bytesOf).reduce((sum, one) => sum + one, 0);
    const limit = steps === undefined ? WORDING_LIMIT_BYTES : WORDING_LIMIT_BYTES + OWN_STEPS_BYTES;
    if (bytes > limit) {
      report(
        `must have at most ${limit} bytes together, and has ${bytes}: a notice stays below 2 KB ` +
          `(a character of Chinese or Japanese takes 3, {helpUrl} counts ${placeBytes.helpUrl}, {deadline} ${placeBytes.deadline}, {app} ${placeBytes.app})`,
      );
    }
    return { title, subject, why, steps, after };
  })
  .meta({
    description: `Words in one language, up to ${WORDING_LIMIT_BYTES} bytes together, with steps ${WORDING_LIMIT_BYTES + OWN_STEPS_BYTES}.`,
  });

/** One key for each language, so that an editor knows them and a misspelt one is a fault. */
const byLanguage = {
  en: wording.optional(),
  de: wording.optional(),
  fr: wording.optional(),
  es: wording.optional(),
  ja: wording.optional(),
  "zh-Hans": wording.optional(),
} satisfies Readonly<Record<LanguageTag, unknown>>;

export const campaignNotice = z
  .strictObject(byLanguage)
  .transform((written): ReadonlyMap<LanguageTag, Wording> => {
    return new Map(languageTags.flatMap((tag) => (written[tag] === undefined ? [] : [[tag, written[tag]] as const])));
  })
  .prefault({})
  .meta({
    description:
      "Your own words for this campaign, by language. What is left out, and every language that is left out, is said in the " +
      "words that come with the program. Text, never HTML. See docs/notices.md.",
  });
