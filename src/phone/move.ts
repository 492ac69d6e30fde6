/** MoveItems: a message that is put into another folder (MS-ASCMD 2.2.1.12). */
import { child, element, text } from "../activesync/document.ts";
import { PhoneError } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { dropItem, folderOf } from "./mailbox.ts";
import type { Outcome } from "./outcome.ts";
import type { FolderState } from "./state.ts";

export interface Moved {
  readonly id: string;
}

/** 3 is success, unlike everywhere else. */
const moved = 3;

export async function moveItem(
  exchange: Exchange,
  { folder, id }: { readonly folder: string; readonly id: string },
  target: FolderState,
): Promise<Outcome<Moved>> {
  const answer = await exchange.ask({
    command: "MoveItems",
    body: element(
      "Move:MoveItems",
      element(
        "Move:Move",
        element("Move:SrcMsgId", id),
        element("Move:SrcFldId", folder),
        element("Move:DstFldId", target.id),
      ),
    ),
    read(root) {
      const response = child(root, "Move:Response");
      if (response === undefined) throw new PhoneError("answer-unreadable", "MoveItems was answered without a word");
      return { status: Number(text(response, "Move:Status") ?? "0"), id: text(response, "Move:DstMsgId") ?? id };
    },
  });
  if (answer.kind === "empty") throw new PhoneError("answer-unreadable", "MoveItems was answered with nothing");
  if (answer.kind !== "answer") return answer;
  if (answer.value.status !== moved) {
    return { kind: "command-status", command: "MoveItems", commandStatus: answer.value.status };
  }
  // The folder that it came to brings it with its next Sync.
  dropItem(folderOf(exchange.state, folder), id);
  return { kind: "ok", id: answer.value.id };
}
