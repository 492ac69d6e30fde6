/** Jamf Pro. */
import * as z from "zod";
import {
  connectorName,
  needs,
  restKeys,
  secretFileKey,
  secretKey,
  systemUrl,
  webhookKeys,
  wordKey,
} from "./connector-parts.ts";

export const jamf = z
  .strictObject({
    name: connectorName,
    kind: z.literal("jamf").meta({ description: "Jamf Pro; see docs/connectors/jamf.md." }),
    url: systemUrl("The server.", ["https://corp.jamfcloud.com"]),
    clientId: wordKey("The API client's id.", ["66666666-7777-8888-9999-000000000000"]),
    clientSecret: secretKey("The API client's secret."),
    clientSecretFile: secretFileKey("clientSecret"),
    tokenPath: z
      .enum(["/api/v1/oauth/token", "/api/oauth/token"])
      .meta({ description: "Where tokens come from: /api/oauth/token for older servers." })
      .default("/api/v1/oauth/token"),
    webhook: webhookKeys("Jamf").optional(),
    // Jamf asks for no more than five calls at once.
    ...restKeys({
      every: "10m",
      fullEvery: "1d",
      requestsPerMinute: 120,
      concurrent: { byDefault: 5, most: 5 },
    }),
  })
  .check(needs("clientSecret"));
