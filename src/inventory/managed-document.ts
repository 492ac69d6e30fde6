/** A managed device as a document of the store, and back. What cannot be read is as if it had never been there: sources report again. */
import { appsScopes, ownerships, platforms, toDeviceId } from "../policy/device.ts";
import type { App, DeviceId } from "../policy/device.ts";
import type { DocumentKey, Fields } from "../store/documents.ts";
import { isJsonObject } from "../store/field-values.ts";
import type { JsonObject } from "../store/field-values.ts";
import { noApps } from "./app-lists.ts";
import { reportParts } from "./managed.ts";
import type { AppList, AppLists, ManagedDevice, ManagedMemory, ReportPart, ReportParts } from "./managed.ts";
import { managedDevice } from "./merge.ts";
import type { ManagedKey, ManagedOwner, SourceVerdict } from "./report.ts";
import { dateOf, flagOf, listIn, listOf, objectIn, textOf, textsOf } from "./stored-json.ts";

/** A source has no colon in its name, so that the first one ends it. */
export function managedDocument({ source, sourceDeviceId }: ManagedKey): DocumentKey {
  return { kind: "managed", name: `${source}:${sourceDeviceId}` };
}

/** How the names of all documents of one source begin. */
export function managedBeginning(source: string): string {
  return `${source}:`;
}

export function managedKeyOf(name: string): ManagedKey | undefined {
  const colon = name.indexOf(":");
  return colon < 1 ? undefined : { source: name.slice(0, colon), sourceDeviceId: name.slice(colon + 1) };
}

/** In fields that change at different times, so that what did not change need not be written. */
export function encodeManaged({ memory, heardAt, sweep }: ManagedDevice): Fields {
  const { parts, partsAt, deviceAt, enrolment, isMissing, ids, idsAre, apps, bound } = memory;
  const fields = new Map<string, string>([
    ["heardAt", heardAt.toISOString()],
    ["enrolment", JSON.stringify(enrolment)],
  ]);
  const known = reportParts.filter((part) => Object.hasOwn(parts, part));
  if (known.length > 0)
    fields.set("parts", JSON.stringify(Object.fromEntries(known.map((part) => [part, parts[part] ?? null]))));
  // A part of another age than the device's is named; most are as old as that.
  const others = known.filter((part) => partsAt.get(part) !== deviceAt?.getTime());
  if (others.length > 0)
    fields.set("ages", JSON.stringify(Object.fromEntries(others.map((part) => [part, partsAt.get(part) ?? null]))));
  if (deviceAt !== undefined) fields.set("deviceAt", deviceAt.toISOString());
  if (ids.current.length > 0) fields.set("ids", JSON.stringify({ ...ids, ...(idsAre !== "mdm" && { are: idsAre }) }));
  if (bound.length > 0) fields.set("bound", JSON.stringify(bound));
  if (apps.whole !== undefined) {
    // Long lists of plain data are written several times as fast as those with a Date among them.
    const { scope, asked, at, count } = apps.whole;
    fields.set(
      "apps",
      JSON.stringify({ scope, asked, at: at.toISOString(), count, apps: apps.whole.apps.map(encodeApp) }),
    );
  }
  if (apps.empty !== undefined) fields.set("emptyApps", JSON.stringify(apps.empty));
  if (apps.single.size > 0) {
    const answers = [...apps.single].toSorted(([a], [b]) => (a < b ? -1 : 1));
    fields.set("answers", JSON.stringify(answers.map(([id, { at, app }]) => [id, at, app && encodeApp(app)])));
  }
  if (isMissing) fields.set("isMissing", "true");
  if (sweep !== undefined) fields.set("sweep", sweep);
  return fields;
}

/** @param appIds ids of apps that rules speak about, lower-case: they say which of the known lists counts. */
export function decodeManaged(
  key: ManagedKey,
  fields: Fields | undefined,
  appIds: ReadonlySet<string>,
): ManagedDevice | undefined {
  const heardAt = dateOf(fields?.get("heardAt"));
  const enrolment = objectIn(fields?.get("enrolment"));
  if (fields === undefined || heardAt === undefined || typeof enrolment["enrolled"] !== "boolean") return undefined;
  const deviceAt = dateOf(fields.get("deviceAt"));
  const parts = readParts(objectIn(fields.get("parts")));
  const ids = objectIn(fields.get("ids"));
  const memory: ManagedMemory = {
    parts,
    partsAt: readAges(parts, objectIn(fields.get("ages")), deviceAt),
    deviceAt,
    enrolment: { enrolled: enrolment["enrolled"], at: dateOf(enrolment["at"]) },
    isMissing: fields.get("isMissing") === "true",
    ids: { current: textsOf(ids["current"]), former: textsOf(ids["former"]), at: dateOf(ids["at"]) },
    idsAre: ids["are"] === "managed-config" ? "managed-config" : "mdm",
    apps: readLists(fields),
    bound: textsOf(listIn(fields.get("bound"))).flatMap((id): DeviceId | [] => toDeviceId(id) ?? []),
  };
  return managedDevice(key, memory, { heardAt, sweep: fields.get("sweep"), appIds });
}

function readParts(stored: JsonObject): ReportParts {
  const parts: { -readonly [P in ReportPart]?: ReportParts[P] } = {};
  const texts = [
    "osVersion",
    "osBuild",
    "osExtra",
    "securityPatch",
    "model",
    "serial",
    "udid",
    "region",
    "timezone",
    "locale",
  ] as const;
  for (const part of texts) if (Object.hasOwn(stored, part)) parts[part] = textOf(stored[part]);
  if (Object.hasOwn(stored, "owner")) parts.owner = readOwner(stored["owner"]);
  if (Object.hasOwn(stored, "platform")) parts.platform = platforms.find((each) => each === stored["platform"]);
  if (Object.hasOwn(stored, "ownership"))
    parts.ownership = ownerships.find((each) => each === stored["ownership"]) ?? "unknown";
  if (Object.hasOwn(stored, "compromised")) parts.compromised = flagOf(stored["compromised"]);
  if (Object.hasOwn(stored, "enrolledAt")) parts.enrolledAt = dateOf(stored["enrolledAt"]);
  if (Object.hasOwn(stored, "verdict")) parts.verdict = readVerdict(stored["verdict"]);
  if (Object.hasOwn(stored, "groups")) parts.groups = textsOf(stored["groups"]);
  return parts;
}

function readAges(parts: ReportParts, ages: JsonObject, deviceAt: Date | undefined): ReadonlyMap<ReportPart, number> {
  return new Map(
    reportParts.flatMap((part): [ReportPart, number][] => {
      if (!Object.hasOwn(parts, part)) return [];
      const at = Object.hasOwn(ages, part) ? ages[part] : deviceAt?.getTime();
      return typeof at === "number" ? [[part, at]] : [];
    }),
  );
}

function readOwner(value: unknown): ManagedOwner | undefined {
  if (!isJsonObject(value)) return undefined;
  return { email: textOf(value["email"]), name: textOf(value["name"]), sourceUserId: textOf(value["sourceUserId"]) };
}

const verdictStates = ["compliant", "noncompliant", "in-grace", "cannot-tell"] as const;

function readVerdict(value: unknown): SourceVerdict | undefined {
  if (!isJsonObject(value)) return undefined;
  const state = verdictStates.find((each) => each === value["state"]);
  return state && { state, reasons: textsOf(value["reasons"]), until: dateOf(value["until"]) };
}

function readLists(fields: Fields): AppLists {
  const whole = objectIn(fields.get("apps"));
  const empty = objectIn(fields.get("emptyApps"));
  const emptyAt = dateOf(empty["at"]);
  return {
    whole: readList(whole),
    empty: emptyAt && { at: emptyAt, asked: empty["asked"] === undefined ? undefined : textsOf(empty["asked"]) },
    single: new Map(
      listIn(fields.get("answers")).flatMap((answer): [string, { at: Date; app: App | undefined }][] => {
        const [id, at, app] = listOf(answer);
        const read = dateOf(at);
        return typeof id !== "string" || read === undefined ? [] : [[id, { at: read, app: decodeApp(app) }]];
      }),
    ),
  };
}

function readList(value: JsonObject): AppList | undefined {
  const scope = appsScopes.find((each) => each === value["scope"]);
  const at = dateOf(value["at"]);
  const { count } = value;
  if (scope === undefined || at === undefined || typeof count !== "number") return noApps.whole;
  const apps = listOf(value["apps"]).flatMap((app) => decodeApp(app) ?? []);
  return { scope, apps, asked: textsOf(value["asked"]), at, count };
}

function encodeApp(app: App): App | string {
  return app.name === undefined && app.version === undefined ? app.id : app;
}

function decodeApp(value: unknown): App | undefined {
  if (typeof value === "string") return { id: value, name: undefined, version: undefined };
  if (!isJsonObject(value) || typeof value["id"] !== "string") return undefined;
  return { id: value["id"], name: textOf(value["name"]), version: textOf(value["version"]) };
}
