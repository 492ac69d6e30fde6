/** What management systems report: who they are, where they may speak to Postern, and what is kept. */
import * as z from "zod";
import { readListen } from "./addresses.ts";
import { androidManagement } from "./android-management-schema.ts";
import { micromdm, nanomdm } from "./apple-mdm-schema.ts";
import { fleet } from "./fleet-schema.ts";
import { intune } from "./intune-schema.ts";
import { jamf } from "./jamf-schema.ts";
import { push } from "./push-schema.ts";
import { text, whole } from "./schema-parts.ts";
import { tlsKeys } from "./tls-schema.ts";
import { workspaceOne } from "./workspace-one-schema.ts";

/** More management systems than anybody has. */
const CONNECTORS_LIMIT = 50;

/** One line for each kind. Its file beside this one has its keys, and `connectors/registry.ts` what it does. */
const connector = z.discriminatedUnion("kind", [
  push,
  nanomdm,
  micromdm,
  intune,
  jamf,
  workspaceOne,
  androidManagement,
  fleet,
]);

export type ParsedConnector = z.output<typeof connector>;

export const inventory = z
  .strictObject({
    maxReportAgeHours: whole(1, 8760, {
      description: "Hours after which a report about a device proves nothing any more, 1 to 8760 (a year).",
    }).default(168),
    listen: text(readListen, {
      description:
        "Address and port on which management systems speak to Postern, below /v1/inventory/NAME. Keep it where only they can " +
        "reach it. Default: 127.0.0.1:8082 where there are connectors, and none where there are not.",
      examples: ["127.0.0.1:8082", "0.0.0.0:8444"],
      pattern: "^.+:\\d{1,5}$",
    }).optional(),
    tls: tlsKeys("Serves TLS on inventory.listen.").optional(),
    privacy: z
      .enum(["all", "rules-only"])
      .meta({
        description:
          "Which apps of a device are kept: all that its system names, or rules-only, those that a campaign speaks about.",
      })
      .default("all"),
    join: z
      .strictObject({
        selfRegistration: z
          .enum(["off", "approve", "allow"])
          .meta({
            description:
              "Whether people may say that a phone whose mail program has an id of its own is one of their managed devices: off, " +
              "approve (an operator agrees each time) or allow.",
          })
          .default("off"),
        outlookMobile: z
          .enum(["refuse", "owner"])
          .meta({
            description:
              "Outlook on phones, whose ids say nothing about the phone: refuse knows none of them; owner takes the one phone that " +
              "its owner has.",
          })
          .default("refuse"),
      })
      .prefault({})
      .meta({ description: "How an id at the gate comes to belong to a managed device." }),
    connectors: z
      .array(connector)
      .max(CONNECTORS_LIMIT)
      .prefault([])
      .meta({
        description: `Management systems, 0 to ${CONNECTORS_LIMIT}. The other keys of each depend on its kind.`,
      }),
  })
  .prefault({})
  .meta({ description: "What management systems report." });
