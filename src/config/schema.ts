/** The configuration file: every key, its units, limits and default. What stands here is also its documentation. */
import * as z from "zod";
import {
  readDomain,
  readHelpUrl,
  readListen,
  readNetwork,
  readPublicHost,
  readPublicUrl,
  readUpstreamUrl,
  upstreamPattern,
} from "./addresses.ts";
import { admin } from "./admin-schema.ts";
import { campaigns, stanceKeys } from "./campaign-schema.ts";
import { folderTreatments } from "../policy/held-folders.ts";
import { ewsStances } from "../policy/mail-program.ts";
import { languageTags } from "../policy/wording.ts";
import { logLevels, roles } from "./config.ts";
import { inventory } from "./inventory-schema.ts";
import { letters } from "./letters-schema.ts";
import { exemptions } from "./exemption-schema.ts";
import { ROUTES_LIMIT, defaultRoutes, route } from "./route-schema.ts";
import { filePath, text, whole, wording } from "./schema-parts.ts";
import { store } from "./store-schema.ts";
import { word } from "./wave-schema.ts";
import { tlsKeys } from "./tls-schema.ts";
import { readAgent, readMailAddress } from "./wording.ts";

/** Lists of addresses and names: longer than anybody's, and still read at a glance by a program. */
const NAMES_LIMIT = 1000;
const listenPattern = "^.+:\\d{1,5}$";
const tls = tlsKeys("Serves TLS. Without it, something in front has to: phones send passwords.");

const limits = z
  .strictObject({
    maxConnections: whole(1, 1_000_000, {
      description: "Connections at once, 1 to 1000000. Default: as many as the process may open descriptors for.",
    }).optional(),
    maxConnectionsPerAddress: whole(1, 1_000_000, {
      description:
        "Connections at once from one client address, 1 to 1000000. Many phones may share an address; of IPv6 the first 64 " +
        "bits are one. Where a trusted proxy brings the connections, requests at once of the address that it names.",
    }).default(200),
    // Exchange itself gives one person 10 requests of ActiveSync and 27 of EWS at once.
    maxRequestsPerCredential: whole(1, 1_000_000, {
      description:
        "Requests at once with one password or token, 1 to 1000000. One more ends the longest wait for news, or is told to come " +
        "back later where nothing waits. Raise it for an account that many room panels share.",
    }).default(30),
    strangeDevicesPerHour: whole(1, 1_000_000, {
      description:
        "Device ids that one person may come with in an hour and that are not known to be that person's, 1 to 1000000. Further " +
        "ones are told to come back later, and the log says so: somebody may be trying ids until one is let in.",
    }).default(20),
    bodyBytes: whole(64 * 1024, 64 * 1024 * 1024, {
      description:
        "Bytes of a request body that the gate reads itself, which it does for phones in quarantine only; 65536 (64 KiB) to " +
        "67108864 (64 MiB). Whatever passes is streamed without a limit.",
    }).default(4 * 1024 * 1024),
  })
  .prefault({})
  .meta({ description: "What one client, and all of them together, may use." });

const mail = z
  .strictObject({
    listen: text(readListen, {
      description: 'Address and port for phones and browsers; port 0 takes any free one. IPv6 in quotes: "[::1]:8080".',
      examples: ["127.0.0.1:8080", "0.0.0.0:8443"],
      pattern: listenPattern,
    }).prefault("127.0.0.1:8080"),
    tls: tls.optional(),
    trustedProxies: z
      .array(text(readNetwork, { description: "One network or address.", examples: ["10.0.0.0/8", "2001:db8::/32"] }))
      .max(NAMES_LIMIT)
      .prefault([])
      .meta({ description: "Proxies in front of the gate whose X-Forwarded-For is believed. Default: nobody." }),
    hosts: z
      .array(text(readPublicHost, { description: "One host name without port.", examples: ["mail.corp.example"] }))
      .max(NAMES_LIMIT)
      .prefault([])
      .meta({
        description: "Public host names that are served; all others are refused. Default: every well-formed one.",
      }),
    publicUrl: text(readPublicUrl, {
      description: "The https URL by which phones reach the gate; redirects and Autodiscover answers name it.",
      examples: ["https://mail.corp.example"],
      pattern: "^https://[^\\s/?#@]+/?$",
    }).optional(),
    limits,
  })
  .prefault({})
  .meta({ description: "The listener for phones and browsers." });

const upstream = z
  .strictObject({
    url: text(readUpstreamUrl, {
      description: "The mail server behind the gate: http or https, without user name, query and fragment.",
      examples: ["http://mail.internal", "https://exchange.corp.example"],
      pattern: upstreamPattern,
    }),
    ca: filePath({
      description:
        "PEM file with the authorities that the mail server's certificate comes from. Default: the public ones.",
    }).optional(),
    connectTimeoutMs: whole(100, 60_000, {
      description: "Milliseconds until the mail server must have accepted a connection, 100 to 60000.",
    }).default(5000),
    responseTimeoutSeconds: whole(3541, 86_400, {
      // MS-ASCMD 2.2.3.84: a Ping may wait 3540 seconds, and a phone whose polls are cut asks for shorter and shorter ones.
      description:
        "Seconds until the mail server must have begun its answer, 3541 to 86400. Phones wait for news up to 3540 seconds, " +
        "and must not be cut off before.",
    }).default(3600),
    idleSocketMs: whole(100, 600_000, {
      description:
        "Milliseconds after which an idle connection to the mail server is dropped, 100 to 600000. It must be less than the " +
        "server's own keep-alive time: servers drop idle connections without saying so.",
    }).default(4000),
  })
  .meta({ description: "The mail server behind the gate." });

const notice = z
  .strictObject({
    organisation: wording({
      description: "Who asks, as it stands in the notice.",
      examples: ["Example Corporation"],
    }).prefault("your organisation"),
    from: z
      .strictObject({
        name: wording({ description: "The sender's name." }).prefault("Mobile mail"),
        address: text(readMailAddress, {
          description: "The sender's address. The default reaches nobody, so that an answer is not lost in silence.",
          examples: ["it-help@corp.example"],
          pattern: "^[^@\\s]+@[^@\\s]+$",
        }).prefault("no-reply@postern.invalid"),
      })
      .prefault({})
      .meta({ description: "Whom the notice comes from." }),
    helpUrl: text(readHelpUrl, {
      description: "An https page with help for people, linked from the notice.",
      examples: ["https://help.corp.example/phones"],
      pattern: "^https://\\S+$",
    }).optional(),
    language: z
      .enum(languageTags)
      .default("en")
      .meta({ description: "What people read whose own language is not there." }),
  })
  .prefault({})
  .meta({ description: "What is said to the person with the phone." });

const stance = z
  .strictObject({
    "not-enrolled": stanceKeys["not-enrolled"].default("quarantine"),
    stale: stanceKeys.stale.default("warn"),
    uninspectable: stanceKeys.uninspectable.default("allow"),
    unknown: stanceKeys.unknown.default("last-known"),
    "phone-browser": z
      .enum(["page", "allow"])
      .meta({ description: "A phone's browser on webmail: page shows it what to do instead of the mail." })
      .default("page"),
    ews: z
      .enum(ewsStances)
      .meta({
        description:
          "Mail programs on EWS, which names no device: laptops lets in those that say in every way that they run on a " +
          "computer, and those in ews.allowAgents; allow lets in everybody, deny nobody.",
      })
      .default("laptops"),
  })
  .prefault({})
  .meta({ description: "Which way to lean when the truth cannot be had." });

const ews = z
  .strictObject({
    allowAgents: z
      .array(
        text(readAgent, {
          description: "How one User-Agent begins, without case.",
          examples: ["ExchangeServicesClient/", "Crestron-TSW"],
          pattern: "^[ -+\\--~]{4,200}$",
          maxLength: 200,
        }),
      )
      .max(NAMES_LIMIT)
      .prefault([])
      .meta({
        description:
          "Programs that pass on EWS like those of laptops: room panels, scripts. A User-Agent is chosen by whoever sends " +
          "it, so list no beginning that a phone's program may have too.",
      }),
  })
  .prefault({})
  .meta({ description: "Exchange Web Services: Outlook for Mac, Apple Mail on a Mac, calendar of other programs." });

const selfService = z
  .strictObject({
    enabled: z
      .boolean()
      .meta({
        description:
          "Whether notices have a link to a page about their phone, with a button to have it checked again. It needs mail.publicUrl: " +
          "without it there are no links, and no pages.",
      })
      .default(true),
    linkHours: whole(1, 720, {
      description:
        "Hours for which a link works at least, 1 to 720 (30 days), from the day of its notice or from the deadline that the notice " +
        "names. A notice in quarantine comes anew each day, with a new link.",
    }).default(72),
  })
  .prefault({})
  .meta({ description: "The page about a phone, for the person who has it." });

const heldFolder = (what: string) =>
  z
    .enum(folderTreatments)
    .meta({
      description:
        `${what} of a phone in quarantine: hold leaves it on the phone as it is, and what is entered there goes up after ` +
        "release; allow goes on synchronising it; wipe takes it off the phone with the mail, and gives it back after release.",
    })
    .default("hold");

const quarantine = z
  .strictObject({
    heldFolders: z
      .strictObject({
        calendar: heldFolder("The calendar"),
        contacts: heldFolder("The address book"),
        tasks: heldFolder("The list of tasks"),
        notes: heldFolder("The notes"),
      })
      .prefault({})
      .meta({
        description: "Folders that hold no mail. Drafts and the outbox are mail that was written, and always held.",
      }),
  })
  .prefault({})
  .meta({ description: "What a phone in quarantine keeps besides the notice." });

const preview = z
  .strictObject({
    important: z
      .array(word)
      .max(NAMES_LIMIT)
      .prefault([])
      .meta({
        description:
          "People, by any form of their names, and groups whose phones every preview lists one by one, with what becomes of " +
          `them. Up to ${NAMES_LIMIT} entries; --important adds others. Default: none.`,
        examples: [["ceo@corp.example", "board"]],
      }),
  })
  .prefault({})
  .meta({ description: "What operators see before a campaign is in force." });

const audit = z
  .strictObject({
    journal: filePath({
      description:
        "The folder in which this machine keeps what its programs did, before anything is answered; made where it is " +
        "missing. Put it on a disk that outlives the program: what the store loses is put there again from here.",
      examples: ["/var/lib/postern/audit"],
    }).prefault("data/audit"),
    keepDays: whole(1, 3650, {
      description: "Days after which entries are removed from the store and from the journal, 1 to 3650 (ten years).",
    }).default(400),
  })
  .prefault({})
  .meta({ description: "The audit trail: what operators did, and what became of which phone." });

export const configSchema = z
  .strictObject({
    role: z
      .enum(roles)
      .meta({
        description:
          "What this process does: gateway answers phones, sync speaks with management systems, all does both. Where several nodes " +
          "share a store, one of those that sync leads, and the others wait to.",
      })
      .default("all"),
    mail,
    admin,
    upstream,
    routes: z
      .array(route)
      .min(1)
      .max(ROUTES_LIMIT)
      .prefault(defaultRoutes)
      .meta({
        description: `The paths that exist; everything else is 404. 1 to ${ROUTES_LIMIT}, none within another.`,
      }),
    store,
    secret: z
      .strictObject({
        file: filePath({
          description:
            "At least 32 random bytes, the same on every node, readable by nobody else. Made on first start if absent.",
        }).prefault("secrets/installation"),
        previousFile: filePath({
          description:
            "The secret before that one, for some days after it was changed: links that people were sent under it go on working. Nothing " +
            "new is signed with it.",
          examples: ["secrets/installation.old"],
        }).optional(),
      })
      .prefault({})
      .meta({ description: "The secret of this installation: gateway keys, signed links." }),
    identity: z
      .strictObject({
        domains: z
          .array(text(readDomain, { description: "One DNS domain.", examples: ["corp.example"] }))
          .max(NAMES_LIMIT)
          .prefault([])
          .meta({
            description:
              "DNS domains of this organisation, the main one first: in them alice and alice@corp.example are one person. " +
              "Default: none, and the account name alone decides.",
          }),
      })
      .prefault({})
      .meta({ description: "How people are told apart." }),
    inventory,
    stance,
    ews,
    quarantine,
    notice,
    selfService,
    letters: letters.optional(),
    audit,
    log: z
      .strictObject({
        level: z.enum(logLevels).meta({ description: "The least that is worth a line." }).default("info"),
      })
      .prefault({})
      .meta({ description: "The log, one JSON object on each line of the standard output." }),
    lastKnown: z
      .strictObject({
        file: filePath({
          description: "Where decisions are kept over a restart, signed. Default: in memory only.",
          examples: ["data/last-known"],
        }).optional(),
        allowHours: whole(1, 8760, {
          description:
            "Hours for which an earlier allow holds while the store is away, 1 to 8760. A quarantine does not age.",
        }).default(24),
      })
      .prefault({})
      .meta({ description: "What was decided before, for the time when the store is away." }),
    preview,
    campaigns,
    exemptions,
  })
  .meta({ title: "Postern configuration", description: "One YAML file. Unknown keys are refused." });

export type ParsedConfig = z.output<typeof configSchema>;
