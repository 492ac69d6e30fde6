import assert from "node:assert/strict";
import { test } from "node:test";
import { instantOf, ownerLocal } from "../../src/policy/moment.ts";
import { aConfigDirectory } from "../support/config-directory.ts";

function yamlFor(wave: string): string {
  return `upstream: { url: http://mail.internal }
campaigns:
  - id: a
    title: T
    require: [{ absent: { name: X, ios: [a.b] } }]
    waves: [{ ${wave} }]
`;
}

const instants: readonly (readonly [deadline: string, timezone: string | undefined, instant: string])[] = [
  ["2026-11-20T23:59", "America/New_York", "2026-11-21T04:59:00.000Z"],
  ["2026-11-20T23:59:00", "UTC", "2026-11-20T23:59:00.000Z"],
  ["2026-07-01T12:00", "Europe/Berlin", "2026-07-01T10:00:00.000Z"],
  ["2026-07-01T12:00", "Asia/Kathmandu", "2026-07-01T06:15:00.000Z"],
  ["2028-02-29T00:00", "america/argentina/buenos_aires", "2028-02-29T03:00:00.000Z"],
  ["2026-11-20T23:59-05:00", undefined, "2026-11-21T04:59:00.000Z"],
  ["2026-11-20T23:59Z", undefined, "2026-11-20T23:59:00.000Z"],
  ["2026-11-20T23:59Z", "America/New_York", "2026-11-20T23:59:00.000Z"],
  ["2026-11-20T23:59+14:00", "Pacific/Kiritimati", "2026-11-20T09:59:00.000Z"],
  // Clocks in New York go back from 02:00 to 01:00 on this night: the hour comes twice, and the offset tells which.
  ["2026-11-01T00:59", "America/New_York", "2026-11-01T04:59:00.000Z"],
  ["2026-11-01T01:30-04:00", "America/New_York", "2026-11-01T05:30:00.000Z"],
  ["2026-11-01T01:30-05:00", "America/New_York", "2026-11-01T06:30:00.000Z"],
  ["2026-11-01T01:30-05:00", undefined, "2026-11-01T06:30:00.000Z"],
  ["2026-11-01T02:00", "America/New_York", "2026-11-01T07:00:00.000Z"],
  // And forward from 02:00 to 03:00 on this one.
  ["2026-03-08T01:59", "America/New_York", "2026-03-08T06:59:00.000Z"],
  ["2026-03-08T03:00", "America/New_York", "2026-03-08T07:00:00.000Z"],
];

for (const [deadline, timezone, instant] of instants) {
  test(`${deadline} in ${timezone ?? "no zone"} is ${instant}`, (t) => {
    const zone = timezone === undefined ? "" : `, timezone: ${timezone}`;
    const config = aConfigDirectory(t, yamlFor(`deadline: ${deadline}${zone}`)).load();
    assert.deepEqual(config.policy.campaigns[0]?.waves[0].deadline, { kind: "instant", at: new Date(instant) });
  });
}

const grammar = "must be a date and a time to the minute, such as 2026-11-20T23:59 or 2026-11-20T23:59-05:00";
const zone = "must be an IANA time zone, such as America/New_York, Europe/Berlin or UTC";
const put = "in that timezone, because clocks are put";

const faults: readonly (readonly [wave: string, fault: string])[] = [
  [
    "deadline: 2026-11-20T23:59",
    "deadline: needs a timezone beside it, such as timezone: America/New_York, or an offset at its end",
  ],
  ["timezone: UTC", "timezone: has no deadline beside it: the wave would begin at once"],
  [
    "deadline: 2026-03-08T02:00, timezone: America/New_York",
    `deadline: does not exist ${put} forward then; write 2026-03-08T01:00 or 2026-03-08T03:00`,
  ],
  [
    "deadline: 2026-03-29T02:30, timezone: Europe/Berlin",
    `deadline: does not exist ${put} forward then; write 2026-03-29T01:30 or 2026-03-29T03:30`,
  ],
  [
    "deadline: 2026-11-01T01:00, timezone: America/New_York",
    `deadline: comes twice ${put} back then; write 2026-11-01T01:00-04:00 or 2026-11-01T01:00-05:00`,
  ],
  [
    "deadline: 2026-10-25T02:59, timezone: Europe/Berlin",
    `deadline: comes twice ${put} back then; write 2026-10-25T02:59+02:00 or 2026-10-25T02:59+01:00`,
  ],
  [
    "deadline: 2026-07-01T12:00-05:00, timezone: America/New_York",
    "deadline: has an offset that the timezone beside it does not have at that time",
  ],
  [
    "deadline: 2026-03-08T02:30-05:00, timezone: America/New_York",
    "deadline: has an offset that the timezone beside it does not have at that time",
  ],
  ["deadline: 2026-07-01T12:00+15:00", "deadline: has an offset that no place on earth has"],
  ["deadline: 2026-02-29T12:00Z", "deadline: is no day or no time of the calendar"],
  ["deadline: 2026-11-20T24:00Z", "deadline: is no day or no time of the calendar"],
  ["deadline: 2026-13-01T00:00Z", "deadline: is no day or no time of the calendar"],
  ["deadline: 2019-12-31T23:59Z", "deadline: must be in the years 2020 to 2100"],
  ["deadline: 2101-01-01T00:00Z", "deadline: must be in the years 2020 to 2100"],
  ["deadline: 2026-11-20", `deadline: ${grammar}`],
  ["deadline: 2026-11-20 23:59", `deadline: ${grammar}`],
  ["deadline: 2026-11-20T23:59:30Z", `deadline: ${grammar}`],
  ["deadline: 2026-11-20T23:59z", `deadline: ${grammar}`],
  ["deadline: tomorrow", `deadline: ${grammar}`],
  ["deadline: 20261120, timezone: UTC", "deadline: must be text; put it in quotes"],
  ["deadline: 2026-11-20T23:59, timezone: EST", `timezone: ${zone}`],
  ["deadline: 2026-11-20T23:59, timezone: America/Springfield", `timezone: ${zone}`],
  ["deadline: 2026-11-20T23:59, timezone: owners", `timezone: ${zone}`],
  [
    "deadline: 2026-11-20T23:59Z, timezone: owner",
    "deadline: has an offset, which is one clock for everybody; timezone says owner",
  ],
  [
    "deadline: 2026-11-20T23:59, timezone: UTC, fallbackTimezone: Europe/Berlin",
    "fallbackTimezone: counts with timezone: owner only",
  ],
  [
    "announce: 2026-11-20T23:59Z, deadline: 2026-11-20T23:59Z",
    "announce: is not before the deadline: nobody would be told in time",
  ],
  [
    "announce: 2026-03-08T02:30, deadline: 2026-03-09T23:59, timezone: America/New_York",
    `announce: does not exist ${put} forward then; write 2026-03-08T01:30 or 2026-03-08T03:30`,
  ],
  ['deadline: 2026-11-20T23:59, timezone: "+01:00"', `timezone: ${zone}`],
];

const ownClocks: readonly (readonly [zone: string | undefined, instant: string])[] = [
  ["Europe/Berlin", "2026-10-25T01:30:00.000Z"],
  ["America/New_York", "2026-10-25T06:30:00.000Z"],
  // Clocks go back in Berlin that night, and 02:30 comes twice: the owner has until the second.
  ["Asia/Calcutta", "2026-10-24T21:00:00.000Z"],
  ["Nowhere/Nothing", "2026-10-25T13:30:00.000Z"],
  [undefined, "2026-10-25T13:30:00.000Z"],
];

for (const [owned, instant] of ownClocks) {
  test(`a deadline on the owner's own clock is ${instant} in ${owned ?? "a zone that nobody knows"}`, (t) => {
    const config = aConfigDirectory(
      t,
      yamlFor("deadline: 2026-10-25T02:30, timezone: owner, fallbackTimezone: Pacific/Pago_Pago"),
    ).load();
    const deadline = config.policy.campaigns[0]?.waves[0].deadline;
    assert.ok(deadline !== undefined);
    assert.equal(instantOf(deadline, owned).toISOString(), instant);
    assert.equal(instantOf(deadline, owned).toISOString(), instant, "the same when it is asked again");
  });
}

test("a time that clocks skip on the owner's own clock is the moment at which they do, and the order of times stays", () => {
  const in2026 = (wall: string, zone: string): string => instantOf(ownerLocal(wall, "UTC"), zone).toISOString();
  assert.equal(in2026("2026-03-08T02:30", "America/New_York"), "2026-03-08T07:00:00.000Z");
  assert.equal(in2026("2026-03-08T02:00", "America/New_York"), "2026-03-08T07:00:00.000Z");
  assert.equal(in2026("2026-03-08T03:00", "America/New_York"), "2026-03-08T07:00:00.000Z");
  assert.equal(in2026("2026-03-08T03:01", "America/New_York"), "2026-03-08T07:01:00.000Z");
  assert.equal(in2026("2026-03-08T01:59", "America/New_York"), "2026-03-08T06:59:00.000Z");
  // Half an hour on Lord Howe Island.
  assert.equal(in2026("2026-10-04T02:10", "Australia/Lord_Howe"), "2026-10-03T15:30:00.000Z");
});

for (const [wave, fault] of faults) {
  test(`a deadline that cannot be meant is refused: ${wave}`, (t) => {
    const [first, ...others] = aConfigDirectory(t, yamlFor(wave)).faults();
    const column = wave.indexOf(`${fault.split(":")[0] ?? ""}:`) + fault.indexOf(":") + 17;
    assert.deepEqual([first, others], [`postern.yaml:6:${column} campaigns[0].waves[0].${fault}`, []]);
  });
}
