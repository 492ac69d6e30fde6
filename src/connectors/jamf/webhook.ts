/**
 * Webhooks of Jamf Pro, in JSON. They have no apps and no id of ActiveSync in them, so they are a sign to read that device. They are not
 * signed: the operator sets a header or a name and password there, and the same here.
 */
import * as z from "zod";
import type { Received, ReceivedRequest, Receiver } from "../../inventory/connector.ts";
import { createWebhookCheck } from "../rest/webhook-credential.ts";
import type { WebhookCredential } from "../rest/webhook-credential.ts";
import { part } from "../rest/words.ts";
import { answered, readJsonBody } from "../rest/receiving.ts";

/** 256 KiB: an event is some 2 KiB. */
const BODY_LIMIT_BYTES = 262_144;

const delivery = z.object({
  webhook: z.object({ webhookEvent: z.string(), eventTimestamp: part(z.number()) }),
  event: z.object({
    jssID: part(z.union([z.string().regex(/^\d{1,18}$/), z.int().nonnegative().transform(String)])),
  }),
});

/** In small letters: Jamf itself spells one of them in two ways. */
const newsOf: ReadonlySet<string> = new Set(["mobiledeviceinventorycompleted", "mobiledeviceenrolled"]);
const unenrolled = "mobiledeviceunenrolled";

export function createWebhook(source: string, credential: WebhookCredential): Receiver {
  const isJamf = createWebhookCheck(credential);
  return {
    bodyLimitBytes: BODY_LIMIT_BYTES,
    async receive({ method, path, headers, body }: ReceivedRequest): Promise<Received> {
      if (!isJamf(headers)) return answered(401);
      if (method !== "POST" || path !== "") return answered(404);
      const read = readJsonBody(body, delivery);
      if (read === undefined) return answered(400);
      const kind = read.webhook.webhookEvent.toLowerCase();
      const id = read.event.jssID;
      // Of other kinds nobody said that they have a device; whoever chose them in Jamf is told that they came.
      if (id === undefined) return answered(200);
      if (newsOf.has(kind)) return { ...answered(200), signals: [id] };
      if (kind !== unenrolled) return answered(200);
      return {
        ...answered(200),
        reports: [{ source, sourceDeviceId: id, enrolled: false, deviceAt: timeOf(read.webhook.eventTimestamp) }],
      };
    },
  };
}

/** Samples have it in milliseconds and in seconds. */
function timeOf(stamp: number | undefined): Date | undefined {
  if (stamp === undefined || !Number.isFinite(stamp) || stamp <= 0 || stamp > 8e15) return undefined;
  return new Date(stamp < 1e11 ? stamp * 1000 : stamp);
}
