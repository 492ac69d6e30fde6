/** Fleet. */
import * as z from "zod";
import { connectorName, needs, restKeys, secretFileKey, secretKey, systemUrl } from "./connector-parts.ts";

/** The word stands in a URL, and nothing else keeps others out. */
const SECRET_LEAST_CHARACTERS = 32;

export const fleet = z
  .strictObject({
    name: connectorName,
    kind: z.literal("fleet").meta({ description: "Fleet; see docs/connectors/fleet.md." }),
    url: systemUrl("The server.", ["https://fleet.corp.example"]),
    token: secretKey("The token of an API-only user."),
    tokenFile: secretFileKey("token"),
    premium: z
      .boolean()
      .meta({ description: "Whether it is Fleet Premium, which alone can have an iPhone report anew." })
      .default(false),
    askEasDeviceIds: z
      .boolean()
      .meta({
        description:
          "Whether iPhones and iPads are asked for their id of ActiveSync, by a command of Apple's MDM; the token's user needs the " +
          "role of a maintainer for it.",
      })
      .default(false),
    webhookSecret: secretKey(
      `The last part of the webhook's path, ${SECRET_LEAST_CHARACTERS} letters, digits, - or _ or more. Default: no webhook is taken.`,
    ),
    webhookSecretFile: secretFileKey("webhookSecret"),
    ...restKeys({ every: "15m", fullEvery: "1d", requestsPerMinute: 120, concurrent: { byDefault: 2, most: 10 } }),
  })
  .check(needs("token"))
  .check(({ value, issues }) => {
    const secret = value.webhookSecret?.reveal();
    if (secret === undefined || (secret.length >= SECRET_LEAST_CHARACTERS && /^[\w-]+$/.test(secret))) return;
    issues.push({
      code: "custom",
      message: `must have at least ${SECRET_LEAST_CHARACTERS} letters, digits, - or _: openssl rand -hex 32`,
      path: ["webhookSecret"],
      input: undefined,
    });
  });
