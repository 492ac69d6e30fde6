/** Waves as they are written, and what they become: whom a campaign is for, and when. */
import * as z from "zod";
import type { Audience, Wave } from "../policy/campaign.ts";
import { ownerships, platforms } from "../policy/device.ts";
import { PERSON_NAME_LIMIT, parsePerson } from "../policy/person.ts";
import { readShare, sharePattern } from "./amounts.ts";
import { deadlineGrammar, readDeadlineText, readTimezone, readWaveTimezone, resolveMoment } from "./moment.ts";
import type { Clock } from "./moment.ts";
import { bad, good } from "./reading.ts";
import type { Reading } from "./reading.ts";
import { oneOrMany, text } from "./schema-parts.ts";

const WAVES_LIMIT = 100;
/** Words in one part of an audience. A longer list of people is a group. */
export const AUDIENCE_WORDS_LIMIT = 1000;
const AUDIENCE_WORD_LIMIT = 256;

function readAudienceWord(written: string): Reading<string> {
  if (
    written !== "" &&
    written.trim() === written &&
    !/\p{Cc}/u.test(written) &&
    written.length <= AUDIENCE_WORD_LIMIT
  ) {
    return good(written);
  }
  return bad(`must be 1 to ${AUDIENCE_WORD_LIMIT} characters without spaces around them`);
}

function readOwner(written: string): Reading<string> {
  if (parsePerson(written) !== undefined) return good(written);
  return bad(
    `must be a name such as alice, CORP\\alice or alice@corp.example, at most ${PERSON_NAME_LIMIT} characters`,
  );
}

export const word = text(readAudienceWord, {
  description: "One word. Compared without case.",
  maxLength: AUDIENCE_WORD_LIMIT,
});
export const owner = text(readOwner, {
  description: "One person. All forms of the name are equal.",
  maxLength: PERSON_NAME_LIMIT,
});

const everybody: Audience = {
  regions: [],
  groups: [],
  platforms: [],
  ownerships: [],
  owners: [],
  share: 1,
};

const audience = z
  .strictObject({
    region: oneOrMany(word, AUDIENCE_WORDS_LIMIT, {
      description: "Regions, such as US, as the record of the device names them.",
    }).optional(),
    group: oneOrMany(word, AUDIENCE_WORDS_LIMIT, { description: "Groups; one of them is enough." }).optional(),
    platform: oneOrMany(z.enum(platforms), platforms.length, { description: "Platforms." }).optional(),
    ownership: oneOrMany(z.enum(ownerships), ownerships.length, { description: "Whose phone it is." }).optional(),
    owner: oneOrMany(owner, AUDIENCE_WORDS_LIMIT, {
      description: "Account names or addresses of the owners, such as alice@corp.example.",
    }).optional(),
    share: text(readShare, {
      description:
        "That part of all people, such as 10%. Who is in it is the same on every node and for ever, and a larger share " +
        "holds everybody of a smaller one. Default: everybody.",
      examples: ["10%"],
      pattern: sharePattern,
    }).optional(),
  })
  .transform((written): Audience => ({
    regions: written.region ?? [],
    groups: written.group ?? [],
    platforms: written.platform ?? [],
    ownerships: written.ownership ?? [],
    owners: written.owner ?? [],
    share: written.share ?? 1,
  }))
  .meta({ description: "Whom the wave is for. Every key that is given must match; without keys it is for everybody." });

const wave = z
  .strictObject({
    audience: audience.prefault({}),
    announce: text(readDeadlineText, {
      description:
        "From this minute on people are told, while their mail flows. Default: at once. Written like deadline.",
      examples: ["2026-11-20T12:00"],
      pattern: deadlineGrammar.source,
    }).optional(),
    deadline: text(readDeadlineText, {
      description:
        "The last minute in which mail still flows; the minute itself belongs to the owner of the phone. A local date and " +
        "time with timezone beside it, or with an offset at its end. A time that clocks skip is refused, and one that they " +
        "show twice needs its offset. Without a deadline the wave is in force at once.",
      examples: ["2026-11-20T23:59", "2026-11-01T01:30-04:00"],
      pattern: deadlineGrammar.source,
    }).optional(),
    timezone: text(readWaveTimezone, {
      description:
        "IANA time zone of announce and deadline, or owner: the time on each owner's own clock, as the record of the " +
        "device names the zone.",
      examples: ["America/New_York", "owner"],
    }).optional(),
    fallbackTimezone: text(readTimezone, {
      description: "With timezone: owner, the zone of an owner whose record names none. Default: UTC.",
      examples: ["Europe/Berlin"],
    }).optional(),
  })
  .transform((written, context): Wave => {
    const { audience: whom, announce, deadline } = resolveWave(written);
    const problems = [announce, deadline].filter((reading) => !reading.ok);
    for (const { key, problem } of problems)
      context.issues.push({ code: "custom", message: problem, path: [key], input: undefined });
    if (!announce.ok || !deadline.ok) return z.NEVER;
    return { audience: whom, announce: announce.value, deadline: deadline.value };
  })
  .meta({ description: "A part of the people, with its own times." });

interface WrittenWave {
  readonly audience: Audience;
  readonly announce?: string | undefined;
  readonly deadline?: string | undefined;
  readonly timezone?: string | undefined;
  readonly fallbackTimezone?: string | undefined;
}

function resolveWave(written: WrittenWave) {
  return {
    audience: written.audience,
    announce: resolveMoment(written.announce, clockOf(written), "announce"),
    deadline: resolveMoment(written.deadline, clockOf(written), "deadline"),
  };
}

function clockOf({ timezone, fallbackTimezone }: WrittenWave): Clock {
  return { timezone, fallbackTimezone };
}

const inForceAtOnce: Wave = { audience: everybody, announce: undefined, deadline: undefined };

export const waves = z
  .array(wave)
  .min(1)
  .max(WAVES_LIMIT)
  .prefault([{}])
  .transform(([first = inForceAtOnce, ...others]): readonly [Wave, ...Wave[]] => [first, ...others])
  .meta({
    description:
      `Whom the campaign is for, and until when; the first wave that a device belongs to decides its times. ` +
      `1 to ${WAVES_LIMIT} entries. Default: everybody, at once.`,
  });
