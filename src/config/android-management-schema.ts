/** The Android Management API. */
import * as z from "zod";
import { connectorName, restKeys, systemUrl, wordKey } from "./connector-parts.ts";
import { filePath, text } from "./schema-parts.ts";
import { readDomain } from "./addresses.ts";

const pubsub = z
  .strictObject({
    audience: wordKey("The audience that the push subscription puts into its tokens.", ["postern"]),
    serviceAccount: wordKey("The service account that the push subscription pushes as.", [
      "push@project.iam.gserviceaccount.com",
    ]),
    issuer: wordKey("Who signs its tokens.", ["https://accounts.google.com"]).prefault("https://accounts.google.com"),
    jwksUrl: systemUrl("Where the keys of that issuer are.", ["https://www.googleapis.com/oauth2/v3/certs"]).prefault(
      "https://www.googleapis.com/oauth2/v3/certs",
    ),
  })
  .meta({ description: "Status reports that Pub/Sub pushes. Default: devices are asked for only." });

export const androidManagement = z.strictObject({
  name: connectorName,
  kind: z
    .literal("android-management")
    .meta({ description: "Android Management API; see docs/connectors/android-management.md." }),
  enterprise: wordKey("The enterprise's id, without enterprises/.", ["LC01234567"]),
  keyFile: filePath({
    description: "The JSON key file of a Google service account.",
    examples: ["secrets/google.json"],
  }),
  ownerDomain: text(readDomain, {
    description:
      "Behind each account identifier this makes the owner's account: alice and corp.example are alice@corp.example. Default: it " +
      "says nothing about owners, and a script writes them.",
    examples: ["corp.example"],
  }).optional(),
  easDeviceIds: z
    .enum(["device-id", "none"])
    .meta({
      description:
        "device-id where Gmail's managed configuration exchange_device_id is the device's own id here; none where Gmail makes up " +
        "an id of its own.",
    })
    .default("none"),
  pubsub: pubsub.optional(),
  apiUrl: systemUrl("Where the interface is.", ["https://androidmanagement.googleapis.com"]).prefault(
    "https://androidmanagement.googleapis.com",
  ),
  tokenUrl: systemUrl("Where tokens come from.", ["https://oauth2.googleapis.com/token"]).prefault(
    "https://oauth2.googleapis.com/token",
  ),
  ...restKeys({ every: "30m", fullEvery: "1d", requestsPerMinute: 60, concurrent: { byDefault: 2, most: 10 } }),
});
