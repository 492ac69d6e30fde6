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
  /** More of the query, as `&SaveInSent=T`. */
  readonly parameters?: string;
}

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

export function createAir(portOf: (node: NodeIndex) => number) {
  const agent = new http.Agent({ keepAlive: true });
  let sent = 0;

  function send(node: NodeIndex, { command, body, contentType, version, parameters = "" }: RawRequest): Exchange {
    sent += 1;
    let answer: RawAnswer | "broken" | undefined;
    let giveUp = (): void => {};
    const done = new Promise<RawAnswer | "broken">((resolve) => {
      const end = (result: RawAnswer | "broken"): void => {
        answer ??= result;
        resolve(answer);
      };
      const request = http.request(
        {
          agent,
          host: "127.0.0.1",
          port: portOf(node),
          method: "POST",
          path: `/Microsoft-Server-ActiveSync?Cmd=${command}&User=alice&DeviceId=${phoneId}&DeviceType=iPhone${parameters}`,
          headers: {
            Authorization: authorization,
            "MS-ASProtocolVersion": version,
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
      request.on("error", () => end("broken"));
      giveUp = (): void => {
        request.destroy();
        end("broken");
      };
      request.end(body);
    });
    return { done, answer: () => answer, giveUp: () => giveUp() };
  }

  return { send, sent: () => sent, close: () => agent.destroy() };
}
