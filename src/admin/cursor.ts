/** Places in a list, for whoever pages through it: opaque, and of use only for the list for which they were given out. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { Problem } from "./problem.ts";

/** 128 bits, as short as a tag may be that nobody can guess. */
const TAG_BYTES = 16;
const CURSOR_LIMIT_CHARACTERS = 512;

export interface Cursors {
  /** @param list what is listed, filters included: a cursor of another one is refused. */
  write(list: string, place: string): string;
  /** @throws Problem `invalid-cursor` */
  read(list: string, cursor: string): string;
}

/** @param secret the same on every node, so that any of them goes on. */
export function createCursors(secret: Uint8Array): Cursors {
  const tagOf = (list: string, place: string): Buffer =>
    createHmac("sha256", secret)
      .update(JSON.stringify([list, place]))
      .digest()
      .subarray(0, TAG_BYTES);

  return {
    write: (list, place) => Buffer.concat([tagOf(list, place), Buffer.from(place)]).toString("base64url"),
    read(list, cursor): string {
      const bytes = Buffer.from(cursor.slice(0, CURSOR_LIMIT_CHARACTERS), "base64url");
      const [tag, place] = [bytes.subarray(0, TAG_BYTES), bytes.subarray(TAG_BYTES).toString()];
      const isOurs =
        bytes.toString("base64url") === cursor && tag.length === TAG_BYTES && timingSafeEqual(tag, tagOf(list, place));
      if (!isOurs) throw new Problem("invalid-cursor");
      return place;
    },
  };
}
