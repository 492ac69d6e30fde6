/** How letters are sent to people, as it is written. */
import * as z from "zod";
import { readSmtpUrl } from "./addresses.ts";
import { loginKeys, text, whole } from "./schema-parts.ts";

export const letters = z
  .strictObject({
    smtp: text(readSmtpUrl, {
      description:
        "The mail server that takes letters to people: smtp://host:port, with STARTTLS where it offers it, or smtps://host:port.",
      examples: ["smtp://mail.internal:25", "smtps://mail.corp.example:465"],
      pattern: "^smtps?://[^\\s?#@/]+$",
    }),
    ...loginKeys("Who logs in to it, where it asks"),
    perMinute: whole(1, 60_000, {
      description: "Letters a minute at most, 1 to 60000. Mail servers refuse who sends too fast.",
    }).default(300),
  })
  .meta({
    description:
      "Letters about campaigns to the email of each owner: announcement, reminders, correction, confirmation. Without it " +
      "nobody gets one, and the notice on the phone is all that people see.",
  });
