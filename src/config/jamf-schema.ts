/** Jamf Pro. */
import * as z from "zod";
import { connectorName, needs, restKeys, secretFileKey, secretKey, systemUrl, wordKey } from "./connector-parts.ts";
import { text } from "./schema-parts.ts";
import { good } from "./reading.ts";

const webhook = z
  .strictObject({
    header: text(
      (written) =>
        /^[A-Za-z0-9-]{1,100}$/.test(written)
          ? good(written.toLowerCase())
          : { ok: false, problem: "must be the name of a header: letters, digits and hyphens" },
      {
        description: "The header that Jamf sends along, as it is set there, 1 to 100 characters.",
        examples: ["X-Postern"],
        pattern: "^[A-Za-z0-9-]{1,100}$",
      },
    ).optional(),
    value: secretKey("The value of that header."),
    valueFile: secretFileKey("value"),
    username: wordKey("The user name of Jamf's basic authentication, in place of header and value.", [
      "jamf",
    ]).optional(),
    password: secretKey("Its password."),
    passwordFile: secretFileKey("password"),
  })
  .check(({ value: written, issues }) => {
    const byHeader = written.header !== undefined && written.value !== undefined;
    const byPassword = written.username !== undefined && written.password !== undefined;
    const given = [written.header, written.value, written.username, written.password].filter(
      (each) => each !== undefined,
    );
    if (given.length === 2 && byHeader !== byPassword) return;
    issues.push({
      code: "custom",
      message: "must have header and value, or username and password",
      path: [],
      input: undefined,
    });
  })
  .meta({ description: "How Jamf shows who it is when it sends a webhook. Default: no webhook is taken." });

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
      .meta({ description: "Where tokens come from: /api/oauth/token for servers before version 11." })
      .default("/api/v1/oauth/token"),
    webhook: webhook.optional(),
    // Jamf asks for no more than five calls at once.
    ...restKeys({
      every: "10m",
      fullEvery: "1d",
      requestsPerMinute: 120,
      concurrent: { byDefault: 5, most: 5 },
    }),
  })
  .check(needs("clientSecret"));
