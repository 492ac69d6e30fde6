/** The pieces that the schema is made of. A description is documentation: editors show it, and so does the JSON Schema. */
import * as z from "zod";
import type { Reading } from "./reading.ts";
import { WORDING_LIMIT, readWording } from "./wording.ts";

/** What the JSON Schema says about one key. */
export interface KeyNotes {
  readonly description: string;
  readonly examples?: readonly string[];
  /** A rougher grammar than the reader's, by which editors underline the plainest mistakes. */
  readonly pattern?: string;
  readonly maxLength?: number;
}

/** Longer than any text that belongs into a configuration, and short enough for every regular expression. */
const TEXT_LIMIT = 4096;

/** Text in a grammar of its own. */
export function text<T>(read: (text: string) => Reading<T>, notes: KeyNotes, kind?: "file" | "secret") {
  return (
    z
      .string()
      .max(TEXT_LIMIT)
      // On the string: of what has a transformation, the JSON Schema of the input leaves examples out.
      .meta({ ...noted(notes), ...(kind === "file" && { file: true }), ...(kind === "secret" && { writeOnly: true }) })
      .transform((written, context) => {
        const reading = read(written);
        if (reading.ok) return reading.value;
        context.issues.push({ code: "custom", message: reading.problem, input: undefined });
        return z.NEVER;
      })
  );
}

/** One line for people. */
export function wording(notes: KeyNotes) {
  const description = `${notes.description} 1 to ${WORDING_LIMIT} characters.`;
  return text(readWording, { ...notes, description, maxLength: WORDING_LIMIT });
}

/** A path; `layers.ts` has made it absolute before this sees it. */
export function filePath(notes: KeyNotes) {
  return text(
    (written) =>
      written === "" || written.includes("\0")
        ? { ok: false, problem: "must be the path of a file" }
        : { ok: true, value: written },
    { ...notes, description: `${notes.description} A relative path begins at the directory of this file.` },
    "file",
  );
}

/** Nobody's password is longer, though servers would take much longer ones. */
const PASSWORD_LIMIT = 1024;
const USERNAME_LIMIT = 256;

/** Who logs in to a server, as the same three keys wherever a mapping names one. */
export function loginKeys(whoLogsIn: string) {
  return {
    username: z
      .string()
      .min(1)
      .max(USERNAME_LIMIT)
      .meta({ description: `${whoLogsIn}, 1 to ${USERNAME_LIMIT} characters.` })
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
  };
}

export function whole(minimum: number, maximum: number, notes: KeyNotes) {
  return z.int().min(minimum).max(maximum).meta(noted(notes));
}

/** One text, or a list of them: both become a list. */
export function oneOrMany<T>(one: z.ZodType<T, string>, limit: number, notes: KeyNotes) {
  return z
    .union([one, z.array(one).min(1).max(limit)])
    .transform((value): readonly T[] => (Array.isArray(value) ? value : [value]))
    .meta(noted(notes));
}

function noted({ description, examples, pattern, maxLength }: KeyNotes): Record<string, unknown> {
  return {
    description,
    ...(examples !== undefined && { examples }),
    ...(pattern !== undefined && { pattern }),
    ...(maxLength !== undefined && { maxLength }),
  };
}
