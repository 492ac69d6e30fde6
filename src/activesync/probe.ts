/**
 * Asks upstream whether a credential is good, where OPTIONS does not tell: which addresses does the mailbox have
 * (MS-ASCMD 2.2.1.18)? It changes nothing, brings no mail, and every server looks at the password before it answers.
 */
import type { CredentialProbe, MailRequest, UpstreamAnswer } from "../gateway/protocol.ts";
import { element } from "./document.ts";
import { settingsQuery } from "./query.ts";
import { decode, encode, WbxmlError } from "./wbxml.ts";

/** HTTP 449: first the policy of the server, then answers. Only whom it knows is told so (MS-ASPROV 3.1.5.2). */
const policyFirst = 449;

export const activeSyncProbe: CredentialProbe = {
  afterOptions: true,
  headers: new Map([
    ["content-type", "application/vnd.ms-sync.wbxml"],
    // The answer is read.
    ["accept-encoding", "identity"],
  ]),
  body: encode(element("Settings:Settings", element("Settings:UserInformation", element("Settings:Get")))),
  // As the phone that asks, so that no other one appears in the mailbox.
  target: ({ path, query }: MailRequest) => `${path}?${settingsQuery(query ?? "")}`,
  proves({ httpStatus, body }: UpstreamAnswer): boolean {
    return httpStatus === policyFirst || (httpStatus === 200 && isSettings(body));
  },
};

/** A page to sign in on comes with 200 too. */
function isSettings(body: Uint8Array): boolean {
  try {
    return decode(body).tag === "Settings:Settings";
  } catch (error) {
    if (error instanceof WbxmlError) return false;
    throw error;
  }
}
