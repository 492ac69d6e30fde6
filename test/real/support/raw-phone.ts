/** One ActiveSync request and its answer, as bare as they are: for looking at a server without a phone's own opinions. */
import { decode, encode, type Element } from "../../../src/activesync/wbxml.ts";
import type { Person } from "./people.ts";

export interface RawRequest {
  readonly command: string;
  readonly deviceId: string;
  readonly protocolVersion?: string;
  readonly body?: Element;
  readonly signal?: AbortSignal;
}

export interface RawAnswer {
  readonly httpStatus: number;
  readonly headers: Headers;
  /** Undefined for an answer without a body. */
  readonly document: Element | undefined;
}

export async function askRaw(activesyncUrl: string, person: Person, request: RawRequest): Promise<RawAnswer> {
  const url = new URL(activesyncUrl);
  const { command, deviceId, protocolVersion = "14.1", body, signal } = request;
  url.search = new URLSearchParams({
    Cmd: command,
    User: person.name,
    DeviceId: deviceId,
    DeviceType: "raw",
  }).toString();
  const response = await fetch(url, {
    method: "POST",
    headers: {
      authorization: basic(person),
      "ms-asprotocolversion": protocolVersion,
      "content-type": "application/vnd.ms-sync.wbxml",
    },
    body: body === undefined ? "" : new Uint8Array(encode(body)),
    ...(signal === undefined ? {} : { signal }),
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const isDocument = response.headers.get("content-type")?.includes("wbxml") === true && bytes.length > 0;
  return {
    httpStatus: response.status,
    headers: response.headers,
    document: isDocument ? decode(bytes) : undefined,
  };
}

export function basic({ name, password }: Person): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
}
