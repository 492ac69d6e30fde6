/**
 * Where lines go. A disk that is full, or a reader that does not read, costs lines and nothing else: the program neither ends,
 * nor waits, nor keeps them for ever.
 */
import { openSync, write, writeSync } from "node:fs";

export interface LogSink {
  write(line: string): void;
  /** What is still kept, as far as it can be written at once. */
  flush(): void;
}

/** 8 MiB of lines wait for a slow disk; then new ones are lost. */
const KEPT_LIMIT_BYTES = 8 * 1_048_576;

/** @param destination file descriptor, or path of a file that is appended to. */
export function createLogSink(destination: number | string): LogSink {
  const descriptor = typeof destination === "number" ? destination : openSync(destination, "a", 0o640);
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let underWay: Buffer | undefined;

  function next(): void {
    if (underWay !== undefined || kept.length === 0) return;
    underWay = Buffer.concat(kept);
    kept = [];
    writeRest();
  }

  function writeRest(): void {
    const bytes = underWay;
    if (bytes === undefined) return;
    write(descriptor, bytes, 0, bytes.byteLength, null, (error, written) => {
      if (error?.code === "EAGAIN") {
        setTimeout(writeRest, 100).unref();
        return;
      }
      const left = error === null ? bytes.subarray(written) : Buffer.alloc(0);
      underWay = left.byteLength > 0 ? left : undefined;
      keptBytes -= bytes.byteLength - left.byteLength;
      if (underWay === undefined) next();
      else writeRest();
    });
  }

  return {
    write(line): void {
      const bytes = Buffer.from(line);
      if (keptBytes + bytes.byteLength > KEPT_LIMIT_BYTES) return;
      keptBytes += bytes.byteLength;
      kept.push(bytes);
      next();
    },
    flush(): void {
      // What is under way has been handed over already, and would stand there twice.
      const bytes = Buffer.concat(kept);
      keptBytes -= bytes.byteLength;
      kept = [];
      try {
        for (let from = 0; from < bytes.byteLength;) from += writeSync(descriptor, bytes, from);
      } catch {
        // Nobody is left to be told.
      }
    },
  };
}
