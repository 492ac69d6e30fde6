/** Reading a whole text file, as far as a limit, with what went wrong in words that repeat neither path nor contents. */
import { closeSync, openSync, readSync } from "node:fs";
import { bad, good } from "./reading.ts";
import type { Reading } from "./reading.ts";

export function readText(file: string, limitBytes: number): Reading<string> {
  const bytes = readBytes(file, limitBytes);
  if (!bytes.ok) return bytes;
  try {
    // Drops a byte order mark, which editors on Windows put in front.
    return good(new TextDecoder("utf-8", { fatal: true }).decode(bytes.value));
  } catch {
    return bad("is not UTF-8 text");
  }
}

/** Not `readFileSync`: a file that grows, or a pipe that never ends, must not fill the memory. */
export function readBytes(file: string, limitBytes: number): Reading<Buffer> {
  try {
    const descriptor = openSync(file, "r");
    try {
      const bytes = Buffer.alloc(limitBytes + 1);
      let length = 0;
      for (let count = -1; count !== 0 && length < bytes.length; length += count) {
        count = readSync(descriptor, bytes, length, bytes.length - length, null);
      }
      return length > limitBytes ? bad(`is larger than ${sizeText(limitBytes)}`) : good(bytes.subarray(0, length));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return bad(fileProblem(error));
  }
}

export function fileProblem(error: unknown): string {
  switch (errorCode(error)) {
    case "ENOENT":
      return "does not exist";
    case "ENOTDIR":
      return "does not exist: a part of its path is no directory";
    case "EACCES":
    case "EPERM":
      return "may not be read by the user that runs Postern";
    case "EISDIR":
      return "is a directory";
    case "EROFS":
      return "is on a file system that is mounted read-only";
    default:
      return `cannot be read (${errorCode(error)})`;
  }
}

/** Only the code: the message of a system error repeats the path. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "no reason given";
}

function sizeText(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${bytes / (1024 * 1024)} MiB` : `${bytes / 1024} KiB`;
}
