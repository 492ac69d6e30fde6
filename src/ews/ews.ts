/** Exchange Web Services: how mail programs on computers, room panels and scripts reach a mailbox. */
import { Refusal } from "../gateway/errors.ts";
import type { Claim, MailRequest, Protocol, Remediation, Reply } from "../gateway/protocol.ts";
import { createClassify } from "./classify.ts";
import { checkEndpoint, isSaidToBeUtf8 } from "./endpoint.ts";
import { ewsProbe } from "./probe.ts";
import { refuse } from "./refusal.ts";
import { readSoap } from "./soap.ts";
import { createWording } from "./wording.ts";

export interface EwsOptions {
  /** How the User-Agents of programs begin that pass like those of laptops. */
  readonly allowAgents: readonly string[];
  /** As people call their employer. */
  readonly organisation: string;
  /** Where the help desk can be reached. */
  readonly helpUrl?: string | undefined;
  /** Of a request that is refused. What passes is streamed, unread and without a limit. */
  readonly bodyLimitBytes: number;
}

/** 64 MiB are read and forgotten: a message with attachments that is still being sent does not end in a reset connection. */
const DISCARDED_BODY_LIMIT_BYTES = 64 * 1024 * 1024;

export function createEwsProtocol({ allowAgents, organisation, helpUrl, bodyLimitBytes }: EwsOptions): Protocol {
  const classify = createClassify(allowAgents);
  const wordsFor = createWording(organisation, helpUrl);

  return {
    name: "ews",
    probe: ewsProbe,
    identify(request: MailRequest): Claim {
      checkEndpoint(request);
      return {
        subject: {
          kind: "mail-program",
          program: classify(request.headers),
          person: request.credential.person,
        },
        // What it asks for stands in its body, and the body of a request that passes is not read.
        command: "soap",
        forwardQuery: undefined,
        // GetStreamingEvents holds its answer open for half an hour.
        mayPark: true,
        remediate,
      };
    },
  };

  async function remediate(context: Remediation): Promise<Reply> {
    const relayed = await context.proveCredential();
    if (relayed !== undefined) {
      await context.discardBody(DISCARDED_BODY_LIMIT_BYTES);
      return relayed;
    }
    const message = readSoap(await context.readBody(bodyLimitBytes));
    if (message === "unreadable" || !isSaidToBeUtf8(context.request.headers.get("content-type")))
      throw new Refusal("body-unreadable", 400, "no SOAP that can be read in one way");
    return refuse(message, wordsFor(context.request.headers.get("accept-language")));
  }
}
