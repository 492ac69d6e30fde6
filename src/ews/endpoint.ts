/**
 * Requests on the EWS route that are not for EWS. Behind `/EWS` real servers answer more than mail programs ask for: pictures
 * of people, descriptions of the service, ways in for other servers (`/wssecurity`). None of it is routed.
 */
import { Refusal } from "../gateway/errors.ts";
import type { MailRequest } from "../gateway/protocol.ts";

const endpoint = "/ews/exchange.asmx";

/** Headers by which the front end of Exchange speaks to its back end. Most are dropped before; these name a back end. */
const backEndHeaders = ["msexchproxyuri", "x-isfrombackend", "x-sourcecafeserver", "x-wlid-membername"] as const;

/** Cookies that choose the back end by its name (ProxyLogon, CVE-2021-26855); mail programs have no use for them. */
const backEndCookie = /(?:^|[;,\s])x-(?:beresource|anonresource(?:-backend)?)\s*=/i;

/** @throws Refusal */
export function checkEndpoint({ path, query, headers }: Pick<MailRequest, "path" | "query" | "headers">): void {
  if (path.toLowerCase() !== endpoint) throw new Refusal("not-routed", 404, "no EWS endpoint");
  // `?wsdl` and `?op=` describe the service; mail programs send no query.
  if (query !== undefined) throw new Refusal("not-routed", 404, "query on the EWS endpoint");
  for (const name of headers.keys()) {
    if (name.startsWith("ms-as") || name === "x-ms-policykey")
      throw new Refusal("not-routed", 404, "ActiveSync on the EWS route");
  }
  if (backEndHeaders.some((name) => headers.has(name)) || backEndCookie.test(headers.get("cookie") ?? ""))
    throw new Refusal("header-refused", 400, "header that names a back end");
  const type = headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  // SOAP 1.1 and nothing else (MS-OXWSCORE 2.1): another protocol's body is not handed on under this route.
  if (type !== undefined && type !== "text/xml") throw new Refusal("body-unreadable", 415, "no SOAP on the EWS route");
}

/**
 * Whether a body that is read as UTF-8 is announced as such: the charset of the header outranks the document's own
 * (RFC 7303, section 3.2), so that another one would make another text of the same bytes. None at all says nothing.
 */
export function isSaidToBeUtf8(contentType: string | undefined): boolean {
  const [, ...parameters] = (contentType ?? "").split(";");
  return parameters
    .map((parameter) => parameter.trim().toLowerCase())
    .filter((parameter) => parameter.startsWith("charset"))
    .every((parameter) => /^charset=("?)utf-8\1$/.test(parameter));
}
