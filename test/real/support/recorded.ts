/** Requests of clients that nobody here wrote, as they were recorded, made fit for a server that has other folders and keys. */
import { readFileSync } from "node:fs";
import index from "../../fixtures/captures/index.json" with { type: "json" };
import { child, children, text } from "../../../src/activesync/document.ts";
import { decode, type Element } from "../../../src/activesync/wbxml.ts";

export interface Recorded {
  readonly number: number;
  readonly session: string;
  readonly client: string;
  readonly command: string;
  readonly version: string | undefined;
  readonly method: string;
  readonly target: string;
  /** Without those that belong to the connection. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it was on the wire: compressed, where the client had compressed it. */
  readonly body: Buffer;
  /** What the body says; undefined where it is no WBXML. */
  readonly document: Element | undefined;
}

const folder = new URL("../../fixtures/captures/", import.meta.url);
const read = (file: string | null): Buffer => (file === null ? Buffer.alloc(0) : readFileSync(new URL(file, folder)));

export const recorded: readonly Recorded[] = index.exchanges.map((exchange) => {
  const { number, session, client, command, version, request } = exchange;
  const [line = "", ...lines] = read(request.head).toString("latin1").split("\r\n");
  const [method = "", target = ""] = line.split(" ");
  const headers = lines.flatMap((header) => {
    const [, name = "", value = ""] = /^([^:]+): *(.*)$/.exec(header) ?? [];
    return /^(?:|host|content-length|connection|transfer-encoding)$/i.test(name) ? [] : [[name, value] as const];
  });
  return {
    number,
    session,
    client,
    command,
    version: version ?? undefined,
    method,
    target,
    headers: Object.fromEntries(headers),
    body: read(request.onTheWire ?? request.body),
    document: request.body?.endsWith(".wbxml") === true ? decode(read(request.body)) : undefined,
  };
});

/** The folders that a session was told of, by the type that a FolderSync gave them. */
export function recordedFolders(session: string): ReadonlyMap<string, string> {
  const folders = new Map<string, string>();
  for (const { session: of, command, response } of index.exchanges) {
    if (of !== session || command !== "FolderSync" || response.body?.endsWith(".wbxml") !== true) continue;
    for (const [id, type] of foldersIn(decode(read(response.body)))) folders.set(id, type);
  }
  return folders;
}

/** Id and type of each folder in the answer to a FolderSync. */
export function foldersIn(answer: Element): [id: string, type: string][] {
  const changes = child(answer, "FolderHierarchy:Changes");
  const added = changes === undefined ? [] : children(changes, "FolderHierarchy:Add");
  return added.map((each) => [text(each, "FolderHierarchy:ServerId") ?? "", text(each, "FolderHierarchy:Type") ?? ""]);
}

/**
 * Puts other texts in place of texts, in the bytes: whatever is peculiar to how the client wrote them stays. An inline string
 * begins with 3 and ends with 0 (WBXML 1.3, section 5.8.4.1).
 */
export function replaceTexts(body: Buffer, texts: ReadonlyMap<string, string>): Buffer {
  let bytes = body.toString("latin1");
  for (const [old, now] of texts) bytes = bytes.replaceAll(`\x03${old}\0`, `\x03${now}\0`);
  return Buffer.from(bytes, "latin1");
}
