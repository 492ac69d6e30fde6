/**
 * The record of a push, as it is written: what scripts, exports and `postern ingest` say of one device. Its description is its
 * documentation; `config/inventory.schema.json` and the OpenAPI document are made of it.
 */
import * as z from "zod";
import { appsScopes, ownerships, platforms } from "../policy/device.ts";
import type { App } from "../policy/device.ts";
import type { InventoryReport, ReportedApps } from "./report.ts";

/** As `intake` has them: what is larger there is refused with its reason, so these only bound what is read. */
const TEXT_LIMIT = 1000;
const ELEMENTS_LIMIT = 5000;
const SOURCE_DEVICE_ID_LIMIT = 200;

const word = (description: string) => z.string().min(1).max(TEXT_LIMIT).nullable().optional().meta({ description });
const instant = (description: string) =>
  z.iso
    .datetime({ offset: true, error: "must be a time with its zone, such as 2026-11-28T12:00:00Z" })
    .nullable()
    .optional()
    .meta({ description: `${description} RFC 3339, with its zone.`, examples: ["2026-11-28T12:00:00Z"] });

const app = z
  .union([
    z.string().min(1).max(TEXT_LIMIT).meta({ description: "The id alone." }),
    z.strictObject({
      id: z.string().min(1).max(TEXT_LIMIT).meta({ description: "Bundle id or package name." }),
      name: word("As people know it."),
      version: word("Its version."),
    }),
  ])
  .meta({ description: "One app.", examples: ["com.zhiliaoapp.musically"] });

export const reportSchema = z
  .strictObject({
    source: z.string().max(64).optional().meta({
      description:
        "Where it comes from. May be left out; if it is there, it must be the source that the request is for.",
    }),
    sourceDeviceId: z
      .string()
      .min(1)
      .max(SOURCE_DEVICE_ID_LIMIT)
      .meta({
        description: `The source's own key of the device, 1 to ${SOURCE_DEVICE_ID_LIMIT} characters. The same each time.`,
      }),
    enrolled: z.boolean().default(true).meta({ description: "Whether it is still managed." }),
    easDeviceIds: z
      .array(z.string().max(TEXT_LIMIT))
      .max(ELEMENTS_LIMIT)
      .optional()
      .meta({
        description: "Its ids of Exchange ActiveSync, by which its mail is known.",
        examples: [["APPLF1XK93ABCD"]],
      }),
    owner: z
      .strictObject({
        email: word("Compared without case."),
        name: word("An account name or a user principal name."),
        sourceUserId: word("The source's own key of the person."),
      })
      .nullable()
      .optional()
      .meta({ description: "Whose it is, by at least an email or a name. null: nobody's." }),
    platform: z.enum(platforms).nullable().optional().meta({ description: "What it runs." }),
    osVersion: word("Such as 26.1."),
    osBuild: word("Such as 23B85."),
    osExtra: word("The letter of a rapid security response, such as (a)."),
    securityPatch: word("The Android security patch level, YYYY-MM-DD."),
    model: word("For people."),
    serial: word("For people."),
    udid: word("For people."),
    ownership: z.enum(ownerships).optional().meta({ description: "Whose device it is." }),
    compromised: z.boolean().nullable().optional().meta({ description: "Jailbroken or rooted. null: cannot be told." }),
    enrolledAt: instant("When it was enrolled."),
    deviceAt: instant("When the device itself last reported anything: not when anybody fetched it."),
    apps: z
      .array(app)
      .max(ELEMENTS_LIMIT)
      .optional()
      .meta({ description: "Its apps. With appsScope and appsAt; [] says that there are none." }),
    appsScope: z.enum(appsScopes).optional().meta({
      description:
        "What the list proves by its silence: all and asked-only (for appsAsked) can show that an app is not there, the others cannot.",
    }),
    appsAsked: z
      .array(z.string().min(1).max(TEXT_LIMIT))
      .max(ELEMENTS_LIMIT)
      .optional()
      .meta({ description: "The ids that were asked about, with appsScope asked-only." }),
    appsAt: instant("When the device looked at its apps. Default: deviceAt."),
    sourceVerdict: z
      .strictObject({
        state: z
          .enum(["compliant", "noncompliant", "in-grace", "cannot-tell"])
          .meta({ description: "What the source itself holds." }),
        reasons: z
          .array(z.string().min(1).max(TEXT_LIMIT))
          .max(ELEMENTS_LIMIT)
          .default([])
          .meta({ description: "Why." }),
        until: instant("Until when in-grace counts as compliant."),
      })
      .nullable()
      .optional()
      .meta({ description: "The source's own verdict." }),
    groups: z
      .array(z.string().min(1).max(TEXT_LIMIT))
      .max(ELEMENTS_LIMIT)
      .optional()
      .meta({ description: "The owner's groups." }),
    region: word("The owner's region, for campaigns."),
    timezone: word("The owner's time zone, such as Europe/Berlin."),
    locale: word("The owner's language, BCP 47."),
  })
  .check(({ value, issues }) => {
    const problem = (path: string, message: string): void => {
      issues.push({ code: "custom", message, path: [path], input: undefined });
    };
    const { apps, appsScope, appsAsked, appsAt, deviceAt } = value;
    if (apps === undefined) {
      if (appsScope !== undefined && appsScope !== "none")
        problem("apps", "must be given with appsScope, if only as []");
      return;
    }
    if (appsScope === undefined)
      problem("appsScope", "must be given with apps: what does an app that is not there prove?");
    if (appsScope === "asked-only" && appsAsked === undefined)
      problem("appsAsked", "must be given with appsScope asked-only");
    if ((appsAt ?? deviceAt ?? undefined) === undefined) problem("appsAt", "must be given with apps, or deviceAt");
  })
  .meta({
    title: "Device record of a push to Postern",
    description:
      "What a source says of one device. A key that is left out is not spoken about; null says that it is not known.",
  });

export type WrittenReport = z.output<typeof reportSchema>;

/** A hint that something is new: the device is then read at its source. */
export const signalSchema = z
  .strictObject({
    source: z
      .string()
      .max(64)
      .optional()
      .meta({ description: "The name of a connector that can be asked about the device." }),
    sourceDeviceId: z.string().min(1).max(SOURCE_DEVICE_ID_LIMIT),
    changed: z.literal(true),
  })
  .meta({ title: "Signal", description: "Says that a device has changed, for sources that can be asked about it." });

/** One record, as a report. A key that was left out stays left out; null becomes undefined, which is "not known". */
export function reportOf(source: string, written: WrittenReport): InventoryReport {
  const {
    source: _,
    sourceDeviceId,
    enrolled,
    apps,
    appsScope,
    appsAsked,
    appsAt,
    sourceVerdict,
    owner,
    ...rest
  } = written;
  const { enrolledAt, deviceAt, ...plain } = rest;
  const lists =
    apps !== undefined && appsScope !== undefined ? appsOf(apps, appsScope, appsAsked, appsAt ?? deviceAt) : {};
  return {
    source,
    sourceDeviceId,
    enrolled,
    ...withoutNull(plain),
    ...(enrolledAt !== undefined && { enrolledAt: dateOf(enrolledAt) }),
    ...(deviceAt !== undefined && { deviceAt: dateOf(deviceAt) }),
    ...(owner !== undefined && { owner: owner === null ? undefined : withoutNull(owner) }),
    ...(sourceVerdict !== undefined && {
      verdict:
        sourceVerdict === null
          ? undefined
          : { state: sourceVerdict.state, reasons: sourceVerdict.reasons, until: dateOf(sourceVerdict.until ?? null) },
    }),
    ...lists,
  };
}

function appsOf(
  apps: NonNullable<WrittenReport["apps"]>,
  scope: ReportedApps["scope"],
  asked: readonly string[] | undefined,
  at: string | null | undefined,
): { readonly apps?: ReportedApps } {
  const date = dateOf(at ?? null);
  if (date === undefined) return {};
  const all = apps.map((each): App =>
    typeof each === "string"
      ? { id: each, name: undefined, version: undefined }
      : { id: each.id, name: each.name ?? undefined, version: each.version ?? undefined },
  );
  return { apps: { scope, apps: all, ...(asked !== undefined && { asked }), at: date } };
}

function dateOf(text: string | null): Date | undefined {
  return text === null ? undefined : new Date(text);
}

type WithoutNull<T> = {
  readonly [K in keyof T]: Exclude<T[K], null | undefined> | (null extends T[K] ? undefined : never);
};

function withoutNull<T extends object>(given: T): WithoutNull<T>;
function withoutNull(given: object): object {
  return Object.fromEntries(
    Object.entries(given).flatMap(([key, value]: [string, unknown]) =>
      value === undefined ? [] : [[key, value === null ? undefined : value]],
    ),
  );
}

/** What is wrong with a record, for whoever wrote it: the key, and what it must be. Nothing of what stands there is repeated. */
export function problemOf({ issues }: z.ZodError): string {
  const [first] = issues;
  if (first === undefined) return "cannot be read";
  const place = first.path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
  const at = place === "" ? "" : `${place}: `;
  if (first.code === "unrecognized_keys") {
    const name = first.keys[0] ?? "";
    return `${at}has an unknown key${/^[A-Za-z0-9_-]{1,60}$/.test(name) ? ` ${name}` : ""}`;
  }
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  return `${at}${first.message}${more}`.slice(0, TEXT_LIMIT);
}
