/** Workspace ONE UEM. */
import * as z from "zod";
import {
  connectorName,
  restKeys,
  secretFileKey,
  secretKey,
  systemUrl,
  webhookKeys,
  wordKey,
} from "./connector-parts.ts";

export const workspaceOne = z
  .strictObject({
    name: connectorName,
    kind: z.literal("workspace-one").meta({ description: "Workspace ONE UEM; see docs/connectors/workspace-one.md." }),
    url: systemUrl("The server of its REST interface.", ["https://as123.awmdm.com"]),
    tokenUrl: systemUrl("Where OAuth tokens come from, which depends on the region.", [
      "https://na.uemauth.vmwservices.com/connect/token",
    ]).optional(),
    clientId: wordKey("The OAuth client's id.", ["0123456789abcdef"]).optional(),
    clientSecret: secretKey("The OAuth client's secret."),
    clientSecretFile: secretFileKey("clientSecret"),
    username: wordKey("An administrator for basic authentication, in place of OAuth.", ["postern"]).optional(),
    password: secretKey("The administrator's password."),
    passwordFile: secretFileKey("password"),
    tenantCode: secretKey("The API key (aw-tenant-code), which basic authentication needs."),
    tenantCodeFile: secretFileKey("tenantCode"),
    personalApps: z
      .enum(["all", "managed-only"])
      .meta({
        description:
          "What its privacy settings let it see of phones that belong to people: managed-only, its own apps, or all. Where it sees " +
          "its own only, an app that is not in its list may be there all the same.",
      })
      .default("managed-only"),
    webhook: webhookKeys("Workspace ONE").optional(),
    ...restKeys({
      every: "15m",
      fullEvery: "1d",
      requestsPerMinute: 600,
      concurrent: { byDefault: 4, most: 20 },
    }),
  })
  .check(({ value, issues }) => {
    const byToken = [value.tokenUrl, value.clientId, value.clientSecret];
    const byPassword = [value.username, value.password, value.tenantCode];
    const isWhole = (keys: readonly unknown[]): boolean => keys.every((each) => each !== undefined);
    const isUsed = (keys: readonly unknown[]): boolean => keys.some((each) => each !== undefined);
    // An API key beside OAuth is asked for by some servers.
    if (isWhole(byToken) && !isUsed([value.username, value.password])) return;
    if (isWhole(byPassword) && !isUsed(byToken)) return;
    issues.push({
      code: "custom",
      message: "must have tokenUrl, clientId and clientSecret, or username, password and tenantCode",
      path: [],
      input: undefined,
    });
  });
