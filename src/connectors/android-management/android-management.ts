/** The Android Management API: pages of devices by token, and status reports that Pub/Sub pushes. It cannot be asked for a new report. */
import type { JWTVerifyGetKey } from "jose";
import * as z from "zod";
import type { Connector, ConnectorContext, Received, Receiver, SyncPage } from "../../inventory/connector.ts";
import { checkBearer } from "../rest/bearer-check.ts";
import type { RestClient } from "../rest/client.ts";
import { byToken } from "../rest/pager.ts";
import { at } from "../rest/path.ts";
import { answered, readJsonBody } from "../rest/receiving.ts";
import { androidDevice, reportOf } from "./device.ts";
import type { Naming } from "./device.ts";

export interface AndroidManagementSettings extends Naming {
  /** The connector's name. */
  readonly source: string;
  /** The enterprise's id, without `enterprises/`. */
  readonly enterprise: string;
  /** 1 to 100. */
  readonly pageSize: number;
  /** How Pub/Sub shows who it is; undefined: nothing is taken from it. */
  readonly pubsub: PubSubProof | undefined;
}

export interface PubSubProof {
  readonly keys: JWTVerifyGetKey;
  readonly issuer: string;
  /** As it was set for the subscription. */
  readonly audience: string;
  /** The service account that the subscription pushes as. */
  readonly serviceAccount: string;
}

/** 1 MiB: a device with 500 apps is some 300 KiB, in base64. */
const BODY_LIMIT_BYTES = 1_048_576;

const devicePage = z.object({
  devices: z.array(androidDevice).default([]),
  nextPageToken: z.string().optional(),
});

export function createAndroidManagement(settings: AndroidManagementSettings, http: RestClient): Connector {
  const { source, enterprise, pageSize, pubsub } = settings;
  const beginning = `enterprises/${enterprise}/devices/`;

  async function* list(cursor: string | undefined, { signal }: ConnectorContext): AsyncGenerator<SyncPage> {
    const pages = byToken({
      client: http,
      shape: devicePage,
      signal,
      cursor,
      call: (token) => ({
        path: at`/v1/enterprises/${enterprise}/devices`,
        query: [["pageSize", pageSize], ...(token === undefined ? [] : [["pageToken", token] as const])],
      }),
      // An empty text says that there is none.
      next: ({ nextPageToken }) => (nextPageToken === "" ? undefined : nextPageToken),
    });
    for await (const { page, next } of pages)
      yield { reports: page.devices.map((device) => reportOf(source, device, settings)), next };
  }

  return {
    source,
    kind: "android-management",
    abilities: {
      apps: "all",
      easDeviceIds: settings.easDeviceIds === "device-id",
      incremental: false,
      lists: true,
      refresh: undefined,
    },
    full: list,
    async one(id, { signal }) {
      if (!/^[\w-]{1,100}$/.test(id)) return undefined;
      const device = await http.find({ path: at`/v1/enterprises/${enterprise}/devices/${id}` }, androidDevice, signal);
      return device === undefined ? undefined : reportOf(source, device, settings);
    },
    receiver: pubsub === undefined ? undefined : createReceiver(settings, pubsub, beginning),
    async health({ signal }) {
      await http.json(
        { path: at`/v1/enterprises/${enterprise}/devices`, query: [["pageSize", 1]] },
        devicePage,
        signal,
      );
    },
  };
}

const pushed = z.object({
  message: z.object({
    attributes: z.object({ notificationType: z.string() }).optional(),
    data: z.string().optional(),
  }),
});

/** A second delivery of a message is normal, and so is another order: reports are ordered by the device's own time. */
function createReceiver(settings: AndroidManagementSettings, proof: PubSubProof, beginning: string): Receiver {
  return {
    bodyLimitBytes: BODY_LIMIT_BYTES,
    async receive({ method, path, headers, body }, { now }): Promise<Received> {
      const result = await checkBearer(
        headers.get("authorization"),
        proof,
        now(),
        ({ email, email_verified: isVerified }) => email === proof.serviceAccount && isVerified === true,
      );
      if (result === "keys-away") return answered(503);
      if (result === "bad") return answered(headers.has("authorization") ? 403 : 401);
      if (method !== "POST" || path !== "") return answered(404);
      const message = readJsonBody(body, pushed)?.message;
      if (message === undefined) return answered(400);
      const type = message.attributes?.notificationType;
      // Whatever else is published to the topic, a test message too, is acknowledged, or it would come again and again.
      if (type !== "STATUS_REPORT" && type !== "ENROLLMENT") return answered(204);
      const device = readJsonBody(Buffer.from(message.data ?? "", "base64"), androidDevice);
      if (device === undefined || !device.name.startsWith(beginning)) return answered(204);
      return { ...answered(204), reports: [reportOf(settings.source, device, settings)] };
    },
  };
}
