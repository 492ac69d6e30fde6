/** Requests and answers in a line each, for the sequence that is printed when a promise is broken. */
import { decode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import type { RawAnswer } from "./air.ts";
import type { FolderRequest } from "./documents.ts";

export function saidOf(folders: readonly FolderRequest[], waits: boolean): string {
  const said = folders.map(({ folder, key, uploads }) => {
    const what = uploads.map((upload) => `${upload.kind} ${"item" in upload ? upload.item : upload.subject}`);
    return `${folder.name} ${keyWord(key)}${what.length > 0 ? ` with ${what.join(" and ")}` : ""}`;
  });
  return `${said.join(", ")}${waits ? ", waiting" : ""}`;
}

/** `{50535451-…}30001` as `ours/30001`: short enough for a sequence that a person reads. */
export function keyWord(key: string): string {
  return key.replace(/^\{50535451-[^}]*\}/, "ours/").replace(/^\{([^-]{4})[^}]*\}/, "$1/");
}

/** The answer in a line: of a document only what decides. */
export function summary({ httpStatus, body }: RawAnswer): string {
  if (httpStatus !== 200) return `HTTP ${httpStatus}`;
  if (body.byteLength === 0) return "empty";
  const said: string[] = [];
  const walk = (part: Element): void => {
    const name = part.tag.replace(/^.*:/, "");
    const texts = part.content.filter((each) => typeof each === "string").join("");
    if (["Status", "CollectionId", "ServerId", "MoreAvailable", "ClientId", "Folder", "DstMsgId"].includes(name))
      said.push(`${name} ${texts}`);
    else if (name === "SyncKey") said.push(`key ${keyWord(texts)}`);
    else if (["Add", "Change", "Delete", "Fetch"].includes(name)) said.push(name);
    for (const each of part.content) if (typeof each === "object" && "tag" in each) walk(each);
  };
  walk(decode(body));
  return said.join(" ").slice(0, 500);
}
