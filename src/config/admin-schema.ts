/** `admin`: the listener for operators and machines, and who may do what there. */
import * as z from "zod";
import { readListen, readPublicHost } from "./addresses.ts";
import { filePath, text } from "./schema-parts.ts";

const NAMES_LIMIT = 1000;
const CLAIM_LIMIT = 256;

const claim = (description: string) =>
  z
    .string()
    .min(1)
    .max(CLAIM_LIMIT)
    .meta({ description: `${description} 1 to ${CLAIM_LIMIT} characters.` });

const holders = (description: string) =>
  z
    .array(claim("One value of the claim."))
    .max(NAMES_LIMIT)
    .prefault([])
    .meta({ description: `Values of the claim that make somebody ${description} Default: nobody.` });

const access = z
  .strictObject({
    breakGlassFile: filePath({
      description:
        "A token that may do everything, for the day on which nothing else works: at least 32 random bytes, readable by nobody " +
        "else. Made on first start if absent. Each use is a warning in the log.",
    }).prefault("secrets/break-glass"),
    localTokens: z
      .boolean()
      .meta({
        description:
          "Whether tokens count that postern token create makes with the installation secret, for scripts. They live for a day " +
          "at most and cannot be taken back one by one.",
      })
      .default(false),
    keysFile: filePath({
      description:
        "A JSON Web Key Set with the public keys of whoever issues the tokens, each with its kid and one alg. Read anew when a " +
        "token names a kid that is not in it.",
    }).optional(),
    issuer: claim("Who issues the tokens: their iss. Needed with keysFile.").optional(),
    audience: claim("For whom the tokens are issued: their aud.").default("postern"),
    actorClaim: claim("The claim that names the person; it stands in the history of the policy.").default("sub"),
    rolesClaim: claim("The claim with what somebody is: a text, or a list of texts.").default("roles"),
    roles: z
      .strictObject({
        viewer: holders("a viewer: sees devices, campaigns and figures."),
        helpdesk: holders("of the help desk: a viewer who may let one person read mail for some hours."),
        operator: holders("an operator: changes campaigns, exemptions and devices."),
        admin: holders("an admin: an operator who also sees the configuration."),
      })
      .prefault({})
      .meta({ description: "Which values of rolesClaim are which role; of several the highest counts." }),
  })
  .prefault({})
  .meta({ description: "Who may use the admin API. Without it only the break-glass token may." });

export const admin = z
  .strictObject({
    listen: text(readListen, {
      description: "Address and port for operators, health checks and metrics. Keep it where only they can reach it.",
      examples: ["127.0.0.1:8081"],
      pattern: "^.+:\\d{1,5}$",
    }).prefault("127.0.0.1:8081"),
    hosts: z
      .array(text(readPublicHost, { description: "One host name without port.", examples: ["postern.corp.example"] }))
      .max(NAMES_LIMIT)
      .prefault([])
      .meta({
        description:
          "Host names by which the admin API may be called, beside localhost and every address: a page on the web must not " +
          "reach it under a name of its own. Default: none.",
      }),
    access,
  })
  .prefault({})
  .meta({ description: "The listener for operators and machines." });
