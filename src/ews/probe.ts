/**
 * Asks upstream whether a credential is good, with a question whose answer holds no mail. OPTIONS, which does this for
 * ActiveSync, does not do it here: on Exchange the virtual directory of EWS lets anonymous requests in, so that IIS itself
 * answers OPTIONS with 200 to anybody, whatever credential comes with it. So a real operation is asked for, one that every
 * server has in every version and that needs a mailbox: the id of the root folder, and nothing but the id.
 */
import type { CredentialProbe, UpstreamAnswer } from "../gateway/protocol.ts";
import { messagesNamespace, readSoap, soapNamespace, typesNamespace } from "./soap.ts";

const question = [
  `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="${soapNamespace}" xmlns:t="${typesNamespace}"`,
  ` xmlns:m="${messagesNamespace}"><s:Header><t:RequestServerVersion Version="Exchange2007_SP1"/></s:Header>`,
  "<s:Body><m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>",
  '<m:FolderIds><t:DistinguishedFolderId Id="msgfolderroot"/></m:FolderIds></m:GetFolder></s:Body></s:Envelope>',
].join("");

export const ewsProbe: CredentialProbe = {
  afterOptions: false,
  target: ({ path }) => path,
  headers: new Map([
    ["content-type", "text/xml; charset=utf-8"],
    ["soapaction", `"${messagesNamespace}/GetFolder"`],
    // The answer is read.
    ["accept", "text/xml"],
    ["accept-encoding", "identity"],
  ]),
  body: Buffer.from(question),
  proves({ httpStatus, body }: UpstreamAnswer): boolean {
    // A page to sign in on comes with 200 too. An operation that failed was still somebody's: strangers get 401.
    const message = httpStatus === 200 ? readSoap(body) : "unreadable";
    return message !== "unreadable" && message.operation === "GetFolderResponse";
  },
};
