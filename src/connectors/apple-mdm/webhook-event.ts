/** What NanoMDM and MicroMDM send whenever a phone has spoken with them (MicroMDM, "API and Webhooks"; NanoMDM sends the same). */
import * as z from "zod";

/** 1.5 MiB: a property list of 1 MiB in base64, and what stands around it. */
export const WEBHOOK_LIMIT_BYTES = 1_572_864;
/** Ids of devices are UUIDs, 40 hexadecimal digits or a serial of a chip. */
const ID_LIMIT = 200;

const id = z.string().max(ID_LIMIT).optional();
const whose = {
  udid: id,
  enrollment_id: id,
  ids: z.looseObject({ id: z.string().min(1).max(ID_LIMIT), type: z.string() }).nullish(),
  url_params: z.record(z.string(), z.string()).nullish(),
};
const envelope = z.looseObject({
  topic: z.string(),
  created_at: z.string(),
  checkin_event: z.looseObject({ ...whose, token_update_tally: z.int().nullish() }).nullish(),
  acknowledge_event: z
    .looseObject({ ...whose, status: z.string(), command_uuid: z.string().optional(), raw_payload: z.string() })
    .nullish(),
});

interface Whose {
  /** By which the management system knows it: what its API takes. */
  readonly device: string;
  readonly udid: string | undefined;
  readonly enrollmentId: string | undefined;
  /** Enrolled by a person for a part of the own phone: only what is managed can be seen. */
  readonly isUserEnrollment: boolean;
  /** Of the address that the phone called, which is what its enrolment profile says, or what the phone says it says. */
  readonly urlParameters: ReadonlyMap<string, string>;
  /** The server's clock. */
  readonly at: Date;
}

export type WebhookEvent =
  | (Whose & { readonly kind: "authenticate" | "check-out" })
  /** `tally`: 1 for the first since it enrolled; undefined where the server does not count. */
  | (Whose & { readonly kind: "token-update"; readonly tally: number | undefined })
  | (Whose & {
      readonly kind: "connect";
      readonly deviceStatus: string;
      readonly commandId: string | undefined;
      readonly payload: Uint8Array;
    })
  /** Of a topic that says nothing about apps, or of one person of several on a device. */
  | { readonly kind: "other" }
  | { readonly kind: "unreadable"; readonly problem: string };

export function readWebhookEvent(body: Uint8Array): WebhookEvent {
  const parsed = envelope.safeParse(parseJson(body));
  if (!parsed.success) return { kind: "unreadable", problem: "an event that is none" };
  const { topic, created_at: createdAt, checkin_event: checkin, acknowledge_event: acknowledge } = parsed.data;
  const at = readTime(createdAt);
  const subject = checkin ?? acknowledge;
  if (at === undefined || !subject || (checkin && acknowledge))
    return isKnown(topic) ? unreadableEvent : { kind: "other" };
  const by = whoseOf(subject, at);
  if (by === "unreadable") return isKnown(topic) ? unreadableEvent : { kind: "other" };
  if (by === "a person's") return { kind: "other" };

  if (topic === "mdm.Connect") {
    if (!acknowledge) return unreadableEvent;
    const payload = fromBase64(acknowledge.raw_payload);
    if (payload === undefined) return unreadableEvent;
    return { ...by, kind: "connect", deviceStatus: acknowledge.status, commandId: acknowledge.command_uuid, payload };
  }
  if (!checkin) return isKnown(topic) ? unreadableEvent : { kind: "other" };
  // What else these carry is not read: the tokens with which a phone is woken and unlocked.
  if (topic === "mdm.Authenticate") return { ...by, kind: "authenticate" };
  if (topic === "mdm.CheckOut") return { ...by, kind: "check-out" };
  if (topic === "mdm.TokenUpdate")
    return { ...by, kind: "token-update", tally: checkin.token_update_tally ?? undefined };
  return { kind: "other" };
}

const unreadableEvent: WebhookEvent = { kind: "unreadable", problem: "an event without what its topic needs" };

function isKnown(topic: string): boolean {
  return ["mdm.Authenticate", "mdm.TokenUpdate", "mdm.CheckOut", "mdm.Connect"].includes(topic);
}

function parseJson(body: Uint8Array): unknown {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    return parsed;
  } catch {
    return undefined;
  }
}

/** NanoMDM names channels of single persons too; apps and mail are those of the device. */
const deviceChannels: ReadonlySet<string> = new Set(["Device", "User Enrollment (Device)"]);

function whoseOf(
  subject: {
    readonly udid?: string | undefined;
    readonly enrollment_id?: string | undefined;
    readonly ids?: { readonly id: string; readonly type: string } | null | undefined;
    readonly url_params?: Readonly<Record<string, string>> | null | undefined;
  },
  at: Date,
): Whose | "unreadable" | "a person's" {
  const udid = subject.udid || undefined;
  const enrollmentId = subject.enrollment_id || undefined;
  // In the order in which both servers choose what they know a device by.
  const device = subject.ids?.id ?? udid ?? enrollmentId;
  if (device === undefined) return "unreadable";
  if (subject.ids && !deviceChannels.has(subject.ids.type)) return "a person's";
  const isUserEnrollment = subject.ids?.type === "User Enrollment (Device)" || udid === undefined;
  const urlParameters = new Map(Object.entries(subject.url_params ?? {}));
  return { device, udid, enrollmentId, isUserEnrollment, urlParameters, at };
}

/** RFC 3339, as Go writes it: with up to nine digits behind the second. */
function readTime(text: string): Date | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text)) return undefined;
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? new Uint8Array(bytes) : undefined;
}
