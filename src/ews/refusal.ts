/** The refusal, in the shape in which a mail program reads one (MS-OXWSCDATA: `ErrorAccessDenied`). */
import type { Reply } from "../gateway/protocol.ts";
import { operationOf } from "./operations.ts";
import type { AnswerShape } from "./operations.ts";
import type { ServerVersion } from "./server-version.ts";
import { messagesNamespace, soapNamespace, typesNamespace } from "./soap.ts";
import type { SoapMessage } from "./soap.ts";

/** What is said to the person, and in which language (BCP 47). */
export interface RefusalText {
  readonly language: string;
  readonly text: string;
}

const errorsNamespace = "http://schemas.microsoft.com/exchange/services/2006/errors";
const code = "ErrorAccessDenied";

export function refuse({ operation, serverVersion, mailboxes }: SoapMessage, said: RefusalText): Reply {
  const known = operationOf(operation);
  if (known === undefined) return answer(500, envelope(serverVersion, fault(said)));
  const { response, shape } = known;
  return answer(200, envelope(serverVersion, responseOf(response, shape, mailboxes, details(said))));
}

function answer(httpStatus: number, document: string): Reply {
  return {
    kind: "answer",
    // 200 for an operation that failed, 500 for a call that did (SOAP 1.1, section 6.2): clients look for a fault in no other.
    httpStatus,
    headers: [["Content-Type", "text/xml; charset=utf-8"]],
    body: Buffer.from(document),
  };
}

function responseOf(response: string, shape: AnswerShape, mailboxes: number, error: string): string {
  const namespaces = `xmlns:m="${messagesNamespace}" xmlns:t="${typesNamespace}"`;
  const whole = (content: string): string => `<m:${response} ${namespaces}>${content}</m:${response}>`;
  const single = `<m:ResponseMessage ResponseClass="Error">${error}</m:ResponseMessage>`;
  switch (shape.kind) {
    case "messages": {
      const held = shape.holds === undefined ? "" : `<m:${shape.holds}/>`;
      const message = `<m:${shape.message} ResponseClass="Error">${error}${held}</m:${shape.message}>`;
      return whole(`<m:ResponseMessages>${message}</m:ResponseMessages>`);
    }
    case "direct":
      return `<m:${response} ResponseClass="Error" ${namespaces}>${error}</m:${response}>`;
    case "single":
      return whole(single);
    case "availability": {
      const each = `<m:FreeBusyResponse>${single}</m:FreeBusyResponse>`.repeat(Math.max(1, mailboxes));
      return whole(`<m:FreeBusyResponseArray>${each}</m:FreeBusyResponseArray>`);
    }
  }
}

function details({ text }: RefusalText): string {
  return [
    `<m:MessageText>${escapeXml(text)}</m:MessageText><m:ResponseCode>${code}</m:ResponseCode>`,
    "<m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>",
  ].join("");
}

function fault({ text, language }: RefusalText): string {
  const said = escapeXml(text);
  return [
    `<s:Fault><faultcode xmlns:a="${typesNamespace}">a:${code}</faultcode>`,
    `<faultstring xml:lang="${escapeXml(language)}">${said}</faultstring>`,
    `<detail><e:ResponseCode xmlns:e="${errorsNamespace}">${code}</e:ResponseCode>`,
    `<e:Message xmlns:e="${errorsNamespace}">${said}</e:Message></detail></s:Fault>`,
  ].join("");
}

function envelope(version: ServerVersion | undefined, content: string): string {
  return [
    `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="${soapNamespace}">`,
    version === undefined ? "" : `<s:Header>${serverVersionInfo(version)}</s:Header>`,
    `<s:Body>${content}</s:Body></s:Envelope>`,
  ].join("");
}

/** The version that the client asked for; a gate has no build of its own. */
function serverVersionInfo({ name, major, minor }: ServerVersion): string {
  return [
    `<h:ServerVersionInfo xmlns:h="${typesNamespace}" MajorVersion="${major}" MinorVersion="${minor}"`,
    ` MajorBuildNumber="0" MinorBuildNumber="0" Version="${name}"/>`,
  ].join("");
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
