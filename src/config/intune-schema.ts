/** Microsoft Intune through Graph. */
import * as z from "zod";
import { connectorName, needs, restKeys, secretFileKey, secretKey, systemUrl, wordKey } from "./connector-parts.ts";

export const intune = z
  .strictObject({
    name: connectorName,
    kind: z.literal("intune").meta({ description: "Microsoft Intune through Graph; see docs/connectors/intune.md." }),
    tenant: wordKey("The directory's id, or one of its domains.", ["11111111-2222-3333-4444-555555555555"]),
    clientId: wordKey("The application's id.", ["66666666-7777-8888-9999-000000000000"]),
    clientSecret: secretKey("The application's client secret."),
    clientSecretFile: secretFileKey("clientSecret"),
    graphUrl: systemUrl("Where Graph is; another one in a national cloud.", ["https://graph.microsoft.us"]).prefault(
      "https://graph.microsoft.com",
    ),
    loginUrl: systemUrl("Where its tokens come from; another one in a national cloud.", [
      "https://login.microsoftonline.us",
    ]).prefault("https://login.microsoftonline.com"),
    ...restKeys({
      every: "10m",
      fullEvery: "1d",
      // A tenth of what Graph lets one application do: 2 000 calls in 20 s.
      requestsPerMinute: 600,
      concurrent: { byDefault: 4, most: 20 },
    }),
  })
  .check(needs("clientSecret"));
