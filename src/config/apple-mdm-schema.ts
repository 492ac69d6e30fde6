/** The connectors to NanoMDM and MicroMDM, which speak Apple's protocol with iPhones and iPads and keep nothing of what they say. */
import * as z from "zod";
import { connectorName, needs, restKeys, secretFileKey, secretKey, systemUrl, wordKey } from "./connector-parts.ts";

/** Less could be guessed; more is no path any more. Lower case, since paths are compared so. */
const pathSecretGrammar = /^[a-z0-9]{32,128}$/;
const keyLeastCharacters = 16;

/** Nothing can be listed, so there is nothing to be asked for as a whole. */
const {
  fullEvery: _fullEvery,
  every,
  ...rest
} = restKeys({
  every: "8h",
  fullEvery: "1d",
  requestsPerMinute: 1200,
  concurrent: { byDefault: 8, most: 100 },
});

const shared = {
  name: connectorName,
  apiKey: secretKey("The key of its interface."),
  apiKeyFile: secretFileKey("apiKey"),
  webhookPath: secretKey(
    "A secret that its webhook has behind the connector's name, /v1/inventory/NAME/SECRET: 32 to 128 of a-z and 0-9.",
  ),
  webhookPathFile: secretFileKey("webhookPath"),
  ownerParameter: wordKey(
    "The parameter of ServerURL in the enrolment profiles that names the owner by e-mail or account. Default: nobody is named.",
    ["user"],
  ).optional(),
  apps: z
    .enum(["all", "asked-only"])
    .meta({
      description:
        "What phones are asked for: all of their apps, or asked-only, only whether those are there that a campaign speaks about.",
    })
    .default("all"),
  every: every.meta({
    description: "How old what a phone has said may be before it is asked anew: 1m to 7d.",
    examples: ["8h"],
  }),
  ...rest,
};

export const nanomdm = z
  .strictObject({
    ...shared,
    kind: z.literal("nanomdm").meta({ description: "NanoMDM or NanoHUB; see docs/connectors/nanomdm.md." }),
    url: systemUrl("Where its interface is. Of an address without a path, /v1 below it.", [
      "https://mdm.corp.example",
      "https://hub.corp.example/api/v1/nanomdm",
    ]),
    webhookKey: secretKey(`The key with which it signs webhooks, ${keyLeastCharacters} characters or more.`),
    webhookKeyFile: secretFileKey("webhookKey"),
    nextWebhookKey: secretKey("Another key that counts as well, while keys are changed."),
    nextWebhookKeyFile: secretFileKey("nextWebhookKey"),
  })
  .check(needs("apiKey"))
  .check(({ value, issues }) => {
    if (value.webhookKey === undefined && value.webhookPath === undefined)
      issues.push(fault("webhookKey", "must be given, or webhookKeyFile, or webhookPath where it is too old to sign"));
    for (const name of ["webhookKey", "nextWebhookKey"] as const) {
      const key = value[name]?.reveal();
      if (key !== undefined && key.length < keyLeastCharacters)
        issues.push(fault(name, `must have at least ${keyLeastCharacters} characters: openssl rand -hex 32`));
    }
    issues.push(...pathFaults(value.webhookPath?.reveal()));
  });

export const micromdm = z
  .strictObject({
    ...shared,
    kind: z.literal("micromdm").meta({ description: "MicroMDM; see docs/connectors/nanomdm.md." }),
    url: systemUrl("Where the server is.", ["https://mdm.corp.example"]),
  })
  .check(needs("apiKey", "webhookPath"))
  .check(({ value, issues }) => void issues.push(...pathFaults(value.webhookPath?.reveal())));

function fault(key: string, message: string): z.core.$ZodRawIssue {
  return { code: "custom", message, path: [key], input: undefined };
}

function pathFaults(secret: string | undefined): readonly z.core.$ZodRawIssue[] {
  if (secret === undefined || pathSecretGrammar.test(secret)) return [];
  return [fault("webhookPath", "must be 32 to 128 of a-z and 0-9: openssl rand -hex 32")];
}
