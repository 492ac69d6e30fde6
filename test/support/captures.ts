/** The WBXML bodies of real clients and servers, from `test/fixtures/captures`. */
import { readFileSync } from "node:fs";
import index from "../fixtures/captures/index.json" with { type: "json" };

export interface Capture {
  readonly number: number;
  readonly direction: "request" | "response";
  readonly command: string;
  /** Undefined where the request did not name a protocol version. */
  readonly version: string | undefined;
  readonly client: string;
  readonly server: string;
  readonly session: string;
  /** Name of the file, which says number, command and direction. */
  readonly file: string;
  readonly bytes: Buffer;
}

const folder = new URL("../fixtures/captures/", import.meta.url);

export function readCapture(file: string): Buffer {
  return readFileSync(new URL(file, folder));
}

/** Every body that is WBXML, in the order in which it was sent. */
export const captures: readonly Capture[] = index.exchanges.flatMap((exchange) =>
  (["request", "response"] as const).flatMap((direction) => {
    const { body } = exchange[direction];
    if (body === null || !body.endsWith(".wbxml")) return [];
    const { number, command, version, client, server, session } = exchange;
    const named = { number, direction, command, version: version ?? undefined, client, server, session };
    return [{ ...named, file: body, bytes: readCapture(body) }];
  }),
);
