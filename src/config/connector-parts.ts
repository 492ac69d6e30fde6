/** What the schemas of all connectors are made of. Each kind has its own file beside this one, and one line in `inventory-schema.ts`. */
import * as z from "zod";
import { readUpstreamUrl, upstreamPattern } from "./addresses.ts";
import { durationPattern, readDuration } from "./amounts.ts";
import { good } from "./reading.ts";
import { filePath, text, whole } from "./schema-parts.ts";
import { createSecret } from "./secret.ts";

const SECRET_LIMIT = 8192;
const weekMinutes = 10_080;

/** What each connector has: its name, which is the `source` of its reports. */
export const connectorName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be 1 to 64 lower-case letters, digits or hyphens")
  .meta({
    description: "Its name, 1 to 64 of a-z, 0-9 and -. It stays: what is known of devices is kept under it.",
    examples: ["intune", "jamf-berlin"],
  });

/** A password, a key or a token; `secretFileKey` stands beside it, under its name with `File`. */
export function secretKey(description: string) {
  return z
    .string()
    .min(1)
    .max(SECRET_LIMIT)
    .meta({ description: `${description} A file of its own is the better place for it.`, writeOnly: true })
    .transform((written) => createSecret(written))
    .optional();
}

/** The file of a secret: `clientSecretFile` for `clientSecret`. */
export function secretFileKey(name: string) {
  return filePath({
    description: `A file that holds ${name}, in place of it; a line end after it is no part of it.`,
  }).optional();
}

/** A check for `.check`: these must be given. A secret from a file is there by now. */
export function needs<const N extends string>(...names: readonly N[]): z.core.CheckFn<{ readonly [K in N]?: unknown }> {
  return (context) => {
    for (const name of names) {
      if (context.value[name] !== undefined) continue;
      context.issues.push({
        code: "custom",
        message: `must be given, or ${name}File`,
        path: [name],
        input: undefined,
      });
    }
  };
}

/** Where the system is. */
export function systemUrl(description: string, examples: readonly string[]) {
  return text(readUpstreamUrl, { description, examples, pattern: upstreamPattern });
}

/** Keys of every connector that calls a system over HTTP, with what is usual for it. */
export function restKeys({
  every,
  fullEvery,
  requestsPerMinute,
  concurrent,
}: {
  /** Such as `15m`. */
  readonly every: string;
  /** Such as `1d`. */
  readonly fullEvery: string;
  readonly requestsPerMinute: number;
  readonly concurrent: { readonly byDefault: number; readonly most: number };
}) {
  const span = (description: string, byDefault: string) =>
    text(readDuration(weekMinutes), {
      description: `${description}: 1m to 7d. Some of it is left to chance, so that systems are not all asked at once.`,
      examples: [byDefault],
      pattern: durationPattern,
    }).prefault(byDefault);
  return {
    ca: filePath({
      description: "PEM file with the authorities that the system's certificate comes from. Default: the public ones.",
    }).optional(),
    every: span("How often it is asked what has changed, where it can be asked that; otherwise for everything", every),
    fullEvery: span("How often it is asked for everything, by which devices that are gone are found", fullEvery),
    timeoutSeconds: whole(1, 600, {
      description: "Seconds until one call to the system must have its whole answer, 1 to 600.",
    }).default(60),
    requestsPerMinute: whole(1, 100_000, {
      description: "Calls to the system in a minute at most, 1 to 100000; more wait.",
    }).default(requestsPerMinute),
    concurrentRequests: whole(1, concurrent.most, {
      description: `Calls to the system at once at most, 1 to ${concurrent.most}; more wait.`,
    }).default(concurrent.byDefault),
    recordTo: filePath({
      description:
        "A folder in which calls and answers are written down for a report about a fault, without credentials, and with other " +
        "names, ids and addresses than the real ones. Look through the files before you send them. Default: nothing is written.",
    }).optional(),
  };
}

/** Text of an id, a tenant, a scope: one line without spaces. */
export function wordKey(description: string, examples: readonly string[]) {
  return text(
    (written) =>
      /^[!-~]{1,500}$/.test(written)
        ? good(written)
        : { ok: false, problem: "must be 1 to 500 visible characters without spaces" },
    { description, examples, maxLength: 500 },
  );
}

/** How a system that does not sign its webhooks shows who it is. */
export function webhookKeys(system: string) {
  return z
    .strictObject({
      header: text(
        (written) =>
          /^[A-Za-z0-9-]{1,100}$/.test(written)
            ? good(written.toLowerCase())
            : { ok: false, problem: "must be the name of a header: letters, digits and hyphens" },
        {
          description: `The header that ${system} sends along, as it is set there, 1 to 100 characters.`,
          examples: ["X-Postern"],
          pattern: "^[A-Za-z0-9-]{1,100}$",
        },
      ).optional(),
      value: secretKey("The value of that header."),
      valueFile: secretFileKey("value"),
      username: wordKey(`The user name of ${system}'s basic authentication, in place of header and value.`, [
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
    .meta({ description: `How ${system} shows who it is when it sends a webhook. Default: no webhook is taken.` });
}
