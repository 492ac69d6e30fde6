/** What is between a phone and the gates: any request may go to any gate, may be given up, and is kept byte for byte. */
import http from "node:http";

export type NodeIndex = 0 | 1;
export const phoneId = "PHONEA";

export interface RawRequest {
  readonly command: string;
  /** Undefined: the request has no body at all. */
  readonly body: Buffer | undefined;
  readonly contentType: string;
  readonly version: string;
  /** Up to 12.1 what a mail is about, and whether a copy is kept, stand in the query. */
  readonly mail?: { readonly folder?: string | undefined; readonly item?: string | undefined };
}

/** How the phone names itself: all of it is one phone. */
export const spellings = ["plain", "hex", "alias", "base64"] as const;
export type Spelling = (typeof spellings)[number];
/** Another id under which an operator has bound the same phone. */
export const aliasId = "PHONEB";

export interface RawAnswer {
  readonly httpStatus: number;
  readonly body: Buffer;
}

export interface Exchange {
  /** "broken": the connection ended without a whole answer. */
  readonly done: Promise<RawAnswer | "broken">;
  readonly answer: () => RawAnswer | "broken" | undefined;
  /** The phone hangs up. */
  readonly giveUp: () => void;
}

export type Air = ReturnType<typeof createAir>;

const authorization = `Basic ${Buffer.from("alice:alice-Pw-1").toString("base64")}`;

const codes: Readonly<Record<string, number>> = {
  Sync: 0,
  SendMail: 1,
  SmartForward: 2,
  SmartReply: 3,
  FolderSync: 9,
  MoveItems: 13,
  GetItemEstimate: 14,
  MeetingResponse: 15,
  Search: 16,
  Ping: 18,
  ItemOperations: 19,
  Provision: 20,
};

function queryOf({ command, version, mail }: RawRequest, spelling: Spelling, policyKey: number | undefined): string {
  if (spelling === "base64") {
    const sized = (value: string | Uint8Array): Buffer =>
      Buffer.from([Buffer.byteLength(value), ...Buffer.from(value)]);
    const key = Buffer.alloc(policyKey === undefined ? 0 : 4);
    if (policyKey !== undefined) key.writeUInt32LE(policyKey);
    const part = (tag: number, value: string | Uint8Array | undefined): Buffer =>
      value === undefined ? Buffer.alloc(0) : Buffer.concat([Buffer.of(tag), sized(value)]);
    return Buffer.concat([
      Buffer.from([Number(version.replace(".", "")), codes[command] ?? 255, 9, 4]),
      sized(phoneId),
      sized(key),
      sized("iPhone"),
      part(1, mail?.folder),
      part(3, mail?.item),
      part(7, mail === undefined ? undefined : Uint8Array.of(1)),
      part(8, "alice"),
    ]).toString("base64");
  }
  const id = { plain: phoneId, hex: Buffer.from(phoneId).toString("hex"), alias: aliasId }[spelling];
  const about = mail?.item === undefined ? "" : `&CollectionId=${mail.folder ?? ""}&ItemId=${mail.item}`;
  const kept = mail === undefined ? "" : "&SaveInSent=T";
  return `Cmd=${command}&User=alice&DeviceId=${id}&DeviceType=iPhone${kept}${about}`;
}

export function createAir(portOf: (node: NodeIndex) => number, spelling: Spelling) {
  const agent = new http.Agent({ keepAlive: true });
  let sent = 0;
  let policyKey: number | undefined;

  function send(node: NodeIndex, request: RawRequest): Exchange {
    const { command, body, contentType, version } = request;
    sent += 1;
    // Every command but Ping carries the key of the policy (MS-ASPROV 3.1.5.1).
    const shown = command === "Ping" ? undefined : policyKey;
    const query = queryOf(request, spelling, shown);
    const inHeaders = spelling !== "base64";
    let answer: RawAnswer | "broken" | undefined;
    let giveUp = (): void => {};
    const done = new Promise<RawAnswer | "broken">((resolve) => {
      const end = (result: RawAnswer | "broken"): void => {
        answer ??= result;
        resolve(answer);
      };
      const outgoing = http.request(
        {
          agent,
          host: "127.0.0.1",
          port: portOf(node),
          method: "POST",
          path: `/Microsoft-Server-ActiveSync?${query}`,
          headers: {
            Authorization: authorization,
            ...(inHeaders ? { "MS-ASProtocolVersion": version } : {}),
            ...(inHeaders && shown !== undefined ? { "X-MS-PolicyKey": String(shown) } : {}),
            "User-Agent": "Model-Phone/1.0",
            "Content-Length": String(body?.byteLength ?? 0),
            ...(body === undefined ? {} : { "Content-Type": contentType }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => end({ httpStatus: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
          response.on("error", () => end("broken"));
          response.on("close", () => end("broken"));
        },
      );
      outgoing.on("error", () => end("broken"));
      giveUp = (): void => {
        outgoing.destroy();
        end("broken");
      };
      outgoing.end(body);
    });
    return { done, answer: () => answer, giveUp: () => giveUp() };
  }

  return {
    send,
    sent: () => sent,
    /** From the next request on. */
    setPolicyKey(key: number): void {
      policyKey = key;
    },
    close: () => agent.destroy(),
  };
}
