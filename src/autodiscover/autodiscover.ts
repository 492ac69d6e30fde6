/**
 * Autodiscover tells a mail client where its mailbox is. Nothing is decided here and no mail is shown; but a server behind
 * the gate answers with its own name, and a phone that gets to know that name goes around the gate from then on. So what
 * comes in is limited to the questions that clients really ask, and what goes out names the gate.
 */
import { Refusal } from "../gateway/errors.ts";
import type { Claim, MailRequest, Protocol, Remediation, Reply, UpstreamAnswer } from "../gateway/protocol.ts";
import type { AddressRewrite } from "./address.ts";
import { rewriteAnswer } from "./answer.ts";
import { readAutodiscover } from "./query.ts";

export interface AutodiscoverOptions {
  /** Origins by which the mail servers behind the gate may call themselves. */
  readonly upstreamOrigins: readonly string[];
  /**
   * What clients call the gate. Undefined: `https://` and the host that the request was sent to. Phones speak nothing but
   * TLS, and where something in front of the gate ends it, the gate itself sees plain HTTP.
   */
  readonly publicUrl?: string | undefined;
}

/** 64 KiB: a question has 500 bytes. */
const QUESTION_LIMIT_BYTES = 64 * 1024;
/** 1 MiB: the longest answer of Exchange, with many shared mailboxes, has 100 KB. */
const ANSWER_LIMIT_BYTES = 1024 * 1024;

export function createAutodiscoverProtocol({ upstreamOrigins, publicUrl }: AutodiscoverOptions): Protocol {
  const upstreamHosts = new Set(upstreamOrigins.map((origin) => new URL(origin).hostname));
  const ownOrigin = publicUrl === undefined ? undefined : new URL(publicUrl).origin;

  return {
    name: "autodiscover",
    identify(request: MailRequest): Claim {
      const { command, forwardQuery } = readAutodiscover(request);
      const addresses: AddressRewrite = { upstreamHosts, publicOrigin: ownOrigin ?? originOf(request) };
      const rewrite = (answer: UpstreamAnswer): UpstreamAnswer => rewriteAnswer(answer, command, addresses);
      return {
        subject: { kind: "nobody" },
        command,
        forwardQuery,
        mayPark: false,
        rewrite,
        async remediate(context: Remediation): Promise<Reply> {
          const question = request.hasBody ? await context.readBody(QUESTION_LIMIT_BYTES) : undefined;
          const { httpStatus, headers, body } = rewrite(await context.exchange(question, ANSWER_LIMIT_BYTES));
          const lines = [...headers].flatMap(([name, values]) => values.map((value) => [name, value] as const));
          return { kind: "answer", httpStatus, headers: lines, body: body.byteLength === 0 ? undefined : body };
        },
      };
    },
  };
}

function originOf({ headers }: MailRequest): string {
  const origin = `https://${headers.get("host") ?? ""}`;
  // Nothing but a host may come out of a host: this becomes part of addresses.
  if (!URL.canParse(origin) || new URL(origin).href !== `${new URL(origin).origin}/`) {
    throw new Refusal("host-refused", 400, "no host to name in the answer");
  }
  return new URL(origin).origin;
}
