/** How letters are sent to people, as it is written. */
import * as z from "zod";
import { readSmtpUrl } from "./addresses.ts";
import { filePath, text, whole } from "./schema-parts.ts";

const PASSWORD_LIMIT = 1024;
const USERNAME_LIMIT = 256;

export const letters = z
  .strictObject({
    smtp: text(readSmtpUrl, {
      description:
        "The mail server that takes letters to people: smtp://host:port, with STARTTLS where it offers it, or smtps://host:port.",
      examples: ["smtp://mail.internal:25", "smtps://mail.corp.example:465"],
      pattern: "^smtps?://[^\\s?#@/]+$",
    }),
    username: z
      .string()
      .min(1)
      .max(USERNAME_LIMIT)
      .meta({ description: `Who logs in, 1 to ${USERNAME_LIMIT} characters. Default: nobody does.` })
      .optional(),
    password: z
      .string()
      .min(1)
      .max(PASSWORD_LIMIT)
      .meta({
        description: `Password, 1 to ${PASSWORD_LIMIT} characters; passwordFile is the better place.`,
        writeOnly: true,
      })
      .optional(),
    passwordFile: filePath({
      description: "A file that holds the password, in place of password; a line end after it is no part of it.",
    }).optional(),
    perMinute: whole(1, 60_000, {
      description: "Letters a minute at most, 1 to 60000. Mail servers refuse who sends too fast.",
    }).default(300),
  })
  .meta({
    description:
      "Letters about campaigns to the email of each owner: announcement, reminders, correction, confirmation. Without it " +
      "nobody gets one, and the notice on the phone is all that people see.",
  });
