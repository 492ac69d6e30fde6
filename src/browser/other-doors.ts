/** Requests on a browser route that are not a browser's: a webmail's path leads to more than a webmail on real servers. */
import { Refusal } from "../gateway/errors.ts";
import type { MailRequest } from "../gateway/protocol.ts";

/**
 * Doors of their own behind a webmail's path. SOGo answers ActiveSync below `/SOGo/`, and Exchange was led from `/owa/` to
 * PowerShell (CVE-2022-41080). Each has a route of its own, or none.
 */
const doors = ["microsoft-server-activesync", "powershell"] as const;

/** @throws Refusal `not-routed` */
export function refuseOtherDoors({ path, headers }: Pick<MailRequest, "path" | "headers">): void {
  if (path.split("/").map(fold).some(isDoor)) {
    throw new Refusal("not-routed", 404, "another protocol's path below a browser route");
  }
  const contentType = headers.get("content-type")?.trim().toLowerCase() ?? "";
  // SOGo and Exchange take a request for ActiveSync by these, whatever its path says.
  if (contentType.startsWith("application/vnd.ms-sync") || headers.has("ms-asprotocolversion")) {
    throw new Refusal("not-routed", 404, "ActiveSync on a browser route");
  }
}

function isDoor(segment: string): boolean {
  // What is no letter ends the name: `.css`, `:$DATA` or `-LiveID` behind it does not make it another door.
  return doors.some((door) => segment.startsWith(door) && !/^[a-z]/.test(segment.slice(door.length)));
}

/** The gate has left one spelling already. A second look costs nothing where the first one is changed some day. */
function fold(segment: string): string {
  try {
    return decodeURIComponent(segment).normalize("NFKC").toLowerCase();
  } catch {
    throw new Refusal("target-ambiguous", 400, "escapes are no UTF-8");
  }
}
