/** What no key of a policy can tell by itself: campaigns, waves and exemptions that contradict each other. */
import { instantOf } from "../policy/moment.ts";
import { EVERY_CAMPAIGN } from "./exemption-schema.ts";
import type { Path } from "./fault.ts";
import type { Finding } from "./issues.ts";
import {
  OWNER_TIMEZONE,
  readDeadlineText,
  readTimezone,
  readUntil,
  readWaveTimezone,
  resolveMoment,
  resolveUntil,
} from "./moment.ts";
import type { MomentReading } from "./moment.ts";
import type { Reading } from "./reading.ts";
import { isMapping, listOf, textAt, valueAt } from "./tree.ts";

/** Of a tree with `campaigns` and `exemptions` that may have faults of every other kind too. */
export function checkPolicy(tree: unknown, elsewhere: readonly string[] = []): Finding[] {
  return [
    ...checkIds(tree, "campaigns"),
    ...checkIds(tree, "exemptions"),
    ...checkWaves(tree),
    ...checkDeadlines(tree),
    ...checkExemptions(tree, elsewhere),
  ];
}

function checkIds(tree: unknown, list: "campaigns" | "exemptions"): Finding[] {
  const first = new Map<string, number>();
  return listOf(valueAt(tree, [list])).flatMap((entry, index) => {
    const id = textAt(entry, ["id"]);
    if (list === "campaigns" && id === EVERY_CAMPAIGN)
      return [atValue([list, index, "id"], "is what exemptions call every campaign")];
    const earlier = id === undefined ? undefined : first.get(id);
    if (id !== undefined && earlier === undefined) first.set(id, index);
    return earlier === undefined ? [] : [atValue([list, index, "id"], `is the id of ${list}[${earlier}] too`)];
  });
}

function checkWaves(tree: unknown): Finding[] {
  return listOf(valueAt(tree, ["campaigns"])).flatMap((campaign, campaignIndex) => {
    const waves = listOf(valueAt(campaign, ["waves"]));
    // A device has the times of the first wave that it belongs to.
    const forEverybody = waves.findIndex((wave) => isMapping(wave) && isForEverybody(wave["audience"]));
    const unreached = `is never reached: waves[${forEverybody}] is for everybody already`;
    return waves.flatMap((wave, index) => {
      const here: Path = ["campaigns", campaignIndex, "waves", index];
      const isReached = forEverybody < 0 || index <= forEverybody;
      return checkTimes(wave, here).concat(isReached ? [] : [atValue(here, unreached)]);
    });
  });
}

/** What counts from a deadline means nothing without one, and its author believes that people have time. */
function checkDeadlines(tree: unknown): Finding[] {
  return listOf(valueAt(tree, ["campaigns"])).flatMap((campaign, index) => {
    const hasDeadline = listOf(valueAt(campaign, ["waves"])).some((wave) => valueAt(wave, ["deadline"]) !== undefined);
    if (hasDeadline) return checkGrace(campaign, index);
    const isWritten = (key: string): boolean => {
      const value = valueAt(campaign, [key]);
      return value !== undefined && !(Array.isArray(value) && value.length === 0);
    };
    return ["remind", "grace", "graceFor"]
      .filter(isWritten)
      .map((key) => atValue(["campaigns", index, key], "counts from a deadline, and no wave has one"));
  });
}

function checkGrace(campaign: unknown, index: number): Finding[] {
  const isMissing = valueAt(campaign, ["graceFor"]) !== undefined && valueAt(campaign, ["grace"]) === undefined;
  return isMissing ? [atValue(["campaigns", index, "graceFor"], "needs grace beside it: how long")] : [];
}

function isForEverybody(audience: unknown): boolean {
  return audience === undefined || (isMapping(audience) && Object.keys(audience).length === 0);
}

const momentKeys = ["announce", "deadline"] as const;

function checkTimes(wave: unknown, here: Path): Finding[] {
  // What is there and cannot be read has its own fault; without it there is nothing to compare.
  const unreadable =
    momentKeys.some((key) => isUnreadable(wave, key, readDeadlineText)) ||
    isUnreadable(wave, "timezone", readWaveTimezone) ||
    isUnreadable(wave, "fallbackTimezone", readTimezone);
  if (unreadable) return [];
  const timezone = textAt(wave, ["timezone"]);
  const fallbackTimezone = textAt(wave, ["fallbackTimezone"]);
  const [announce, deadline] = momentKeys.map((key) =>
    resolveMoment(textAt(wave, [key]), { timezone, fallbackTimezone }, key),
  );
  const findings = [announce, deadline].flatMap((reading) =>
    reading?.ok === false ? [atValue([...here, reading.key], reading.problem)] : [],
  );
  const hasTimes = momentKeys.some((key) => textAt(wave, [key]) !== undefined);
  if (timezone !== undefined && !hasTimes)
    findings.push(atValue([...here, "timezone"], "has no deadline beside it: the wave would begin at once"));
  if (fallbackTimezone !== undefined && timezone !== OWNER_TIMEZONE)
    findings.push(atValue([...here, "fallbackTimezone"], "counts with timezone: owner only"));
  if (isBackwards(announce, deadline))
    findings.push(atValue([...here, "announce"], "is not before the deadline: nobody would be told in time"));
  return findings;
}

/** Both are on the same clock, so that one zone is as good as another. */
function isBackwards(announce: MomentReading | undefined, deadline: MomentReading | undefined): boolean {
  if (announce?.ok !== true || deadline?.ok !== true) return false;
  if (announce.value === undefined || deadline.value === undefined) return false;
  return instantOf(announce.value, undefined) >= instantOf(deadline.value, undefined);
}

function checkExemptions(tree: unknown, elsewhere: readonly string[]): Finding[] {
  const written = listOf(valueAt(tree, ["campaigns"]));
  const ids = new Set(written.map((campaign) => textAt(campaign, ["id"])).concat(elsewhere));
  return listOf(valueAt(tree, ["exemptions"])).flatMap((exemption, index) => {
    const here: Path = ["exemptions", index];
    const campaign = textAt(exemption, ["campaign"]);
    const findings: Finding[] = [];
    if (campaign !== undefined && campaign !== EVERY_CAMPAIGN && !ids.has(campaign))
      findings.push(atValue([...here, "campaign"], "is the id of no campaign here, nor all"));
    const until = textAt(exemption, ["until"]);
    if (until === undefined || !readUntil(until).ok || isUnreadable(exemption, "timezone", readTimezone))
      return findings;
    const resolved = resolveUntil(until, textAt(exemption, ["timezone"]));
    return resolved.ok ? findings : findings.concat(atValue([...here, resolved.key], resolved.problem));
  });
}

function isUnreadable(parent: unknown, key: string, read: (text: string) => Reading<unknown>): boolean {
  const value = valueAt(parent, [key]);
  if (value === undefined) return false;
  return typeof value !== "string" || !read(value).ok;
}

function atValue(path: Path, message: string): Finding {
  return { path, message, side: "value" };
}
