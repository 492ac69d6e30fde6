/** A mail server that speaks EWS, as far as these tests ask it to: it knows one person and keeps a book of what reaches it. */
import http from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { TestContext } from "node:test";

export interface EwsServer {
  readonly url: string;
  /** Every request, from the moment its head has come. */
  readonly journal: readonly EwsEntry[];
}

export interface EwsEntry {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** What has come of the body so far. */
  readonly body: () => string;
  /** 0 until it was answered. */
  readonly httpStatus: () => number;
  /** Ends an answer that is held open. */
  readonly finish: () => void;
}

export const alice = `Basic ${Buffer.from("alice:alice-Pw-1").toString("base64")}`;
/** The three steps of a login that belongs to a connection. */
export const ntlm = { begin: "NTLM Zmlyc3Q=", challenge: "NTLM c2Vjb25k", answer: "NTLM dGhpcmQ=" } as const;
/** Stands in every answer that has mail in it. */
export const secret = "Quarterly figures, confidential";

const soap = "http://schemas.xmlsoap.org/soap/envelope/";
const messages = "http://schemas.microsoft.com/exchange/services/2006/messages";

function responding(operation: string, content: string): string {
  return `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="${soap}"><s:Body><m:${operation}Response xmlns:m="${messages}"><m:ResponseMessages><m:${operation}ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>${content}</m:${operation}ResponseMessage></m:ResponseMessages></m:${operation}Response></s:Body></s:Envelope>`;
}

export async function anEwsServer(t: TestContext): Promise<EwsServer> {
  const journal: EwsEntry[] = [];
  const loggedIn = new WeakSet<Socket>();
  const server = http.createServer((req, res) => {
    const { method = "", url = "", headers } = req;
    let body = "";
    let finish = (): void => undefined;
    journal.push({
      method,
      url,
      headers,
      body: () => body,
      httpStatus: () => (res.headersSent ? res.statusCode : 0),
      finish: () => finish(),
    });
    req.setEncoding("utf8");
    req.on("data", (chunk: string) => (body += chunk));
    req.on("end", () => {
      // As IIS does in front of EWS: OPTIONS is answered to anybody.
      if (method === "OPTIONS") return res.writeHead(200, { Allow: "OPTIONS, POST" }).end();
      if (headers.authorization === ntlm.begin) {
        return res.writeHead(401, { "WWW-Authenticate": ntlm.challenge }).end();
      }
      if (headers.authorization === ntlm.answer) loggedIn.add(req.socket);
      if (headers.authorization !== alice && !loggedIn.has(req.socket)) {
        return res.writeHead(401, { "WWW-Authenticate": 'Basic realm="ews"', "X-FEServer": "MBX01" }).end();
      }
      res.setHeader("Content-Type", "text/xml; charset=utf-8");
      const operation = /<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)/.exec(body)?.[1] ?? "none";
      if (operation === "GetStreamingEvents") {
        res.write(responding(operation, "<m:ConnectionStatus>OK</m:ConnectionStatus>"));
        finish = () => res.end(responding(operation, "<m:ConnectionStatus>Closed</m:ConnectionStatus>"));
        return undefined;
      }
      return res.end(
        responding(operation, operation === "GetFolder" ? "<m:Folders/>" : `<m:Items>${secret}</m:Items>`),
      );
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("no address");
  return { url: `http://127.0.0.1:${address.port}`, journal };
}
