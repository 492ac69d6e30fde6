/** ItemOperations Fetch and GetItemEstimate: looking at one item, and at how many there are. */
import { child, element, text } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import { PhoneError } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { plainText, readBody, type Body } from "./item.ts";
import { classOf, folderOf } from "./mailbox.ts";
import type { Outcome } from "./outcome.ts";
import type { FolderState } from "./state.ts";

export interface FetchedBody {
  readonly body: Body;
  /** What a person can read of it. */
  readonly text: string;
}

export type BodyWish = "text" | "html" | "mime";

const bodyCodes: Readonly<Record<BodyWish, string>> = { text: "1", html: "2", mime: "4" };

export async function fetchItem(
  exchange: Exchange,
  folderId: string,
  itemId: string,
  wish: BodyWish,
): Promise<Outcome<FetchedBody>> {
  if (!exchange.dialect().itemOperations) return whatSyncBrought(exchange, folderId, itemId);
  const answer = await exchange.ask({
    command: "ItemOperations",
    body: element(
      "ItemOperations:ItemOperations",
      element(
        "ItemOperations:Fetch",
        element("ItemOperations:Store", "Mailbox"),
        element("AirSync:CollectionId", folderId),
        element("AirSync:ServerId", itemId),
        element(
          "ItemOperations:Options",
          wish === "mime" ? element("AirSync:MIMESupport", "2") : undefined,
          element("AirSyncBase:BodyPreference", element("AirSyncBase:Type", bodyCodes[wish])),
        ),
      ),
    ),
    read: readFetch,
  });
  if (answer.kind === "empty") throw new PhoneError("answer-unreadable", "Fetch was answered with nothing");
  if (answer.kind !== "answer") return answer;
  const { commandStatus, body } = answer.value;
  if (commandStatus !== 1) return { kind: "command-status", command: "ItemOperations", commandStatus };
  return { kind: "ok", body, text: plainText(body) };
}

/** Before 12.0 there is nothing to fetch a mail with except Sync, and that has brought its beginning already. */
function whatSyncBrought(exchange: Exchange, folderId: string, itemId: string): Outcome<FetchedBody> {
  const item = folderOf(exchange.state, folderId).items.find((each) => each.id === itemId);
  if (item?.kind !== "message") throw new PhoneError("no-such-item", `no message ${itemId} in folder ${folderId}`);
  return { kind: "ok", body: { type: "text", data: item.text, truncated: item.truncated }, text: item.text };
}

function readFetch(root: Element): { commandStatus: number; body: Body } {
  const response = child(root, "ItemOperations:Response");
  const fetch = response && child(response, "ItemOperations:Fetch");
  const properties = fetch && child(fetch, "ItemOperations:Properties");
  const whole = Number(text(root, "ItemOperations:Status") ?? "1");
  const body = properties && readBody(properties);
  return {
    commandStatus: whole === 1 ? Number((fetch && text(fetch, "ItemOperations:Status")) ?? "1") : whole,
    body: body ?? { type: "text", data: "", truncated: false },
  };
}

export async function estimate(exchange: Exchange, folder: FolderState): Promise<Outcome<{ items: number }>> {
  const dialect = exchange.dialect();
  const syncKey = element("AirSync:SyncKey", folder.syncKey);
  const id = element("GetItemEstimate:CollectionId", folder.id);
  const kind = classOf(folder.type);
  const answer = await exchange.ask({
    command: "GetItemEstimate",
    body: element(
      "GetItemEstimate:GetItemEstimate",
      element(
        "GetItemEstimate:Collections",
        element(
          "GetItemEstimate:Collection",
          dialect.estimate === "options"
            ? [syncKey, id]
            : [
                dialect.classInSync ? element("GetItemEstimate:Class", kind === "other" ? "Email" : kind) : undefined,
                id,
                element("AirSync:FilterType", "0"),
                syncKey,
              ],
        ),
      ),
    ),
    read: readEstimate,
  });
  if (answer.kind === "empty") throw new PhoneError("answer-unreadable", "GetItemEstimate was answered with nothing");
  if (answer.kind !== "answer") return answer;
  const { commandStatus, items } = answer.value;
  if (commandStatus !== 1) return { kind: "command-status", command: "GetItemEstimate", commandStatus };
  return { kind: "ok", items };
}

function readEstimate(root: Element): { commandStatus: number; items: number } {
  const response = child(root, "GetItemEstimate:Response");
  const collection = response && child(response, "GetItemEstimate:Collection");
  const whole = text(root, "GetItemEstimate:Status");
  return {
    commandStatus: Number((response && text(response, "GetItemEstimate:Status")) ?? whole ?? "1"),
    items: Number((collection && text(collection, "GetItemEstimate:Estimate")) ?? "0"),
  };
}
