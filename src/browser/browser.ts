/** A mailbox in a browser: for computers. A phone's browser gets a page that says where its mail is. */
import type { Claim, MailRequest, Protocol, Remediation, Reply } from "../gateway/protocol.ts";
import { languageFor, languageOf } from "../notice/languages.ts";
import { looksLike } from "./classify.ts";
import { refuseOtherDoors } from "./other-doors.ts";
import { contentSecurityPolicy, createPhonePages } from "./page.ts";
import type { PhonePageOptions } from "./page.ts";

export interface BrowserOptions {
  readonly phonePage: PhonePageOptions;
}

/** Whether a person looks at the answer (`navigate`) or a script does (`fetch`). */
type BrowserCommand = "navigate" | "fetch";

/** 1 MiB is read and forgotten before the answer: an attachment that a phone was sending does not end in a reset connection. */
const DISCARDED_BODY_LIMIT_BYTES = 1024 * 1024;

/** Exchange and its successors hold these open until something new has come. */
const parkingEnds = ["/ev.owa", "/ev.owa2"] as const;

export function createBrowserProtocol({ phonePage }: BrowserOptions): Protocol {
  const pageIn = createPhonePages(phonePage);
  const fallback = languageOf(phonePage.language ?? "en");

  return {
    name: "browser",
    identify(request: MailRequest): Claim {
      refuseOtherDoors(request);
      const command = commandOf(request);
      const path = request.path.toLowerCase();
      return {
        subject: { kind: "browser", looksLike: looksLike(request.headers) },
        command,
        // Unchanged: a webmail reads its query in its own way, and nothing here was decided by it.
        forwardQuery: request.query,
        mayPark: parkingEnds.some((end) => path.endsWith(end)),
        async remediate(context: Remediation): Promise<Reply> {
          await context.discardBody(DISCARDED_BODY_LIMIT_BYTES);
          return refusal(request, command);
        },
      };
    },
  };

  function refusal({ method, headers }: MailRequest, command: BrowserCommand): Reply {
    const { language, html, problem } = pageIn(languageFor(headers.get("accept-language"), fallback));
    const [type, body] =
      command === "navigate" ? ["text/html; charset=utf-8", html] : ["application/problem+json", problem];
    return {
      kind: "answer",
      // 403, because the same request from the same browser will not be let in later. A browser shows the page with it,
      // and a webmail's script stops instead of asking again, as it would after a 503.
      httpStatus: 403,
      headers: [
        ["Content-Type", type],
        ["Content-Language", language],
        ["Content-Security-Policy", contentSecurityPolicy],
        ["Cache-Control", "no-store"],
        ["X-Content-Type-Options", "nosniff"],
        ["Referrer-Policy", "no-referrer"],
      ],
      body: method === "HEAD" ? undefined : body,
    };
  }
}

/** A browser that opens a page says that it takes HTML, or says that it navigates. Who says nothing may be a person. */
function commandOf({ headers }: MailRequest): BrowserCommand {
  const accept = headers.get("accept")?.toLowerCase();
  const mode = headers.get("sec-fetch-mode")?.toLowerCase();
  if (accept === undefined || mode === "navigate") return "navigate";
  return accept.includes("text/html") || accept.includes("application/xhtml+xml") ? "navigate" : "fetch";
}
