/** What operators do through the API, for the audit: written after it was done and before anybody is told that it was. */
import type { Role } from "./route.ts";

interface OperatorAct {
  readonly at: Date;
  /** The route: `post /campaigns/apply`. */
  readonly act: string;
  readonly actor: string;
  readonly means: "token" | "local-token" | "break-glass";
  readonly role: Role;
  readonly address: string;
  /** Empty where the route asks for none. */
  readonly why: string;
  /** Campaigns, exemptions, devices. */
  readonly about: readonly string[];
  readonly before: unknown;
  readonly after: unknown;
}

export interface AuditPort {
  /** @throws where it could not be kept; the act is done, and the client is told of a failure. */
  append(act: OperatorAct): Promise<void>;
}
