/** The store as it is written: a Redis server, by its URL or by a mapping, or a file on this machine. */
import * as z from "zod";
import { readRedisUrl } from "./addresses.ts";
import type { RedisAddress } from "./addresses.ts";
import { good } from "./reading.ts";
import { filePath, loginKeys, text } from "./schema-parts.ts";
import { createSecret } from "./secret.ts";
import type { Secret } from "./secret.ts";

const defaultPrefix = "postern:";
export const defaultDatabase = "data/postern.db";

interface ParsedRedis extends Omit<RedisAddress, "password"> {
  readonly password: Secret<string> | undefined;
  readonly prefix: string;
}

const redisUrl = text(
  readRedisUrl,
  {
    description:
      "redis://user:password@host:port/database, or rediss:// for TLS; user, password, port and database may be left out. " +
      "A password is better kept in passwordFile.",
    examples: ["redis://127.0.0.1:6379/0", "rediss://redis.corp.example:6380"],
    pattern: "^rediss?://",
  },
  "secret",
);

const redisMapping = z
  .strictObject({
    url: redisUrl.optional(),
    urlFile: filePath({ description: "A file that holds the URL, in place of url." }).optional(),
    ...loginKeys("User of a Redis ACL"),
    ca: filePath({
      description: "PEM file with the authorities of the server's certificate, for rediss:// only.",
    }).optional(),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9_.:{}-]{1,63}:$/, "must be 2 to 64 letters, digits or _ . : { } - with a colon at the end")
      .meta({ description: "What the names of all keys begin with, with a colon at its end; 2 to 64 characters." })
      .default(defaultPrefix),
  })
  .transform((written, context): ParsedRedis => {
    const { url, username, password, ca, prefix } = written;
    const contradiction = contradictionIn({ url, username, password: password ?? written.passwordFile, ca });
    if (url === undefined || contradiction !== undefined) {
      const { key, problem } = contradiction ?? missingUrl;
      context.issues.push({ code: "custom", message: problem, path: [key], input: undefined });
      return z.NEVER;
    }
    return parsed({ ...url, username: username ?? url.username, password: password ?? url.password }, prefix);
  });

interface RedisKeys {
  readonly url: RedisAddress | undefined;
  readonly username: string | undefined;
  /** Or the name of its file: here only whether there is one matters. */
  readonly password: string | undefined;
  readonly ca: string | undefined;
}

const missingUrl = { key: "url", problem: "must be given, or urlFile" };

/** What the keys of one Redis server say against each other, and the key to change. */
export function contradictionIn({ url, username, password, ca }: RedisKeys): typeof missingUrl | undefined {
  const twice = "stands in the URL too; only one of them can hold";
  if (url === undefined) return missingUrl;
  if (url.password !== undefined && password !== undefined) return { key: "password", problem: twice };
  if (url.username !== undefined && username !== undefined) return { key: "username", problem: twice };
  if ((url.username ?? username) !== undefined && (url.password ?? password) === undefined) {
    // Most likely a password in the place of the user, where it would be shown as a name.
    return { key: username === undefined ? "url" : "username", problem: "names a user and there is no password" };
  }
  return ca !== undefined && !url.tls ? { key: "ca", problem: "is for rediss:// only" } : undefined;
}

function parsed(address: RedisAddress, prefix: string): ParsedRedis {
  const { password } = address;
  return { ...address, password: password === undefined ? undefined : createSecret(password), prefix };
}

export const store = z
  .strictObject({
    redis: z
      .union([
        text(
          (written) => {
            const address = readRedisUrl(written);
            return address.ok ? good(parsed(address.value, defaultPrefix)) : address;
          },
          { description: "The URL alone." },
          "secret",
        ),
        redisMapping,
      ])
      .meta({
        description: "A Redis server, shared by all nodes: its URL, such as redis://127.0.0.1:6379/0, or a mapping.",
      })
      .optional(),
    embedded: filePath({
      description: "A database file on this machine, for one node; it is made where there is none.",
      examples: [defaultDatabase],
    }).optional(),
  })
  .prefault({})
  .meta({
    description: `Where facts about devices are kept: redis or embedded, not both. Default: embedded, ${defaultDatabase}.`,
    maxProperties: 1,
  });
