/** What the management system sends, turned into reports. Events of one phone come in any order, and some never. */
import type { ConnectorContext, Received, ReceivedRequest, Receiver } from "../../inventory/connector.ts";
import type { InventoryReport, ReportedApps } from "../../inventory/report.ts";
import { readAnswer } from "./answer.ts";
import type { ConnectEvent, DeviceFacts } from "./answer.ts";
import { digestOf } from "./asked-ids.ts";
import type { AskedIds } from "./asked-ids.ts";
import { readCommandId, requestTypeOf } from "./commands.ts";
import type { CommandKind } from "./commands.ts";
import type { Outstanding } from "./outstanding.ts";
import { readWebhookEvent, WEBHOOK_LIMIT_BYTES } from "./webhook-event.ts";
import type { WebhookEvent } from "./webhook-event.ts";

export interface ReceiverOptions {
  readonly source: string;
  /** Whether the request comes from the management system. */
  readonly isGenuine: (request: ReceivedRequest) => boolean;
  /** The parameter of the address in the enrolment profile that names the owner; undefined: nobody is named. */
  readonly ownerParameter: string | undefined;
  readonly asked: AskedIds;
  readonly outstanding: Outstanding;
}

type PhoneEvent = Exclude<WebhookEvent, { readonly kind: "other" | "unreadable" }>;

interface Heard {
  readonly reports?: readonly InventoryReport[];
  readonly refresh?: readonly string[];
  readonly problems?: readonly string[];
}

export function createAppleMdmReceiver(options: ReceiverOptions): Receiver {
  const { source, isGenuine, ownerParameter, asked, outstanding } = options;

  /** The server's clock may be ahead of ours; a report from the future would be refused. */
  const timeOf = ({ at }: PhoneEvent, { now }: ConnectorContext): Date =>
    new Date(Math.min(at.getTime(), now().getTime()));

  function reportOf(event: PhoneEvent, more: Partial<InventoryReport>, context: ConnectorContext): InventoryReport {
    const owner = ownerOf(event, ownerParameter);
    return {
      source,
      sourceDeviceId: event.device,
      enrolled: true,
      ...(event.udid !== undefined && { udid: event.udid }),
      ...(owner !== undefined && { owner }),
      ...(event.isUserEnrollment && { ownership: "personal" }),
      deviceAt: timeOf(event, context),
      ...more,
    };
  }

  function hear(event: PhoneEvent, context: ConnectorContext): Heard {
    switch (event.kind) {
      case "authenticate":
        // Not enrolled yet: whoever has left and only begins to come back must not count as managed. What waited for it is dropped there.
        outstanding.forget(event.device);
        return {};
      case "check-out":
        outstanding.forget(event.device);
        return {
          reports: [{ source, sourceDeviceId: event.device, enrolled: false, deviceAt: timeOf(event, context) }],
        };
      case "token-update": {
        const isNew = event.tally === 1;
        const isUnasked = outstanding.heard(event.device, context.now());
        return {
          reports: [reportOf(event, isNew ? { enrolledAt: timeOf(event, context) } : {}, context)],
          refresh: isNew || isUnasked ? [event.device] : [],
        };
      }
      case "connect":
        return hearConnect(event, context);
    }
  }

  function hearConnect(event: ConnectEvent, context: ConnectorContext): Heard {
    const { device, commandId = "", deviceStatus } = event;
    const command = readCommandId(commandId);
    if (command === undefined) {
      return { refresh: outstanding.heard(device, context.now()) ? [device] : [] };
    }
    if (deviceStatus === "NotNow") {
      outstanding.postponed(device, context.now());
      return {};
    }
    outstanding.answered(device, commandId, context.now());
    const answer = readAnswer(event, command.kind);
    switch (answer.kind) {
      case "refused":
      case "unreadable": {
        const verb = answer.kind === "refused" ? "is refused by a phone" : "is answered unreadably";
        return { problems: [`${requestTypeOf(command.kind)} ${verb}: ${answer.problem}`] };
      }
      case "device":
        return { reports: [reportOf(event, withOwnership(event, answer.facts), context)] };
      case "apps": {
        const ids = answer.apps.map(({ id }) => id);
        if (command.kind === "all") asked.learn(context.appIds(), ids);
        // Asked by an older policy: what the newer one asks for is still open.
        const current = digestOf(context.appIds());
        const isOutdated =
          command.kind === "asked" && command.digest !== current && !outstanding.awaits(device, current);
        const at = timeOf(event, context);
        const apps: ReportedApps = { ...scopeOf(event, command, ids), apps: answer.apps, at };
        return { reports: [reportOf(event, { apps }, context)], refresh: isOutdated ? [device] : [] };
      }
    }
  }

  /** A person's own enrolment shows what is managed only, whatever was asked about: the app may be there all the same. */
  function scopeOf(
    event: ConnectEvent,
    { kind, digest }: { readonly kind: CommandKind; readonly digest: string },
    found: readonly string[],
  ): Pick<ReportedApps, "scope" | "asked"> {
    if (event.isUserEnrollment) return { scope: "managed-only" };
    if (kind === "all") return { scope: "all" };
    // Nobody remembers the question: the answer proves what it names, and nothing by what it leaves out.
    return { scope: "asked-only", asked: asked.askedBy(digest) ?? found.map((id) => id.toLowerCase()) };
  }

  return {
    bodyLimitBytes: WEBHOOK_LIMIT_BYTES,
    async receive(request, context) {
      if (!isGenuine(request)) return received(401);
      if (request.method !== "POST") return received(405);
      const event = readWebhookEvent(request.body);
      if (event.kind === "unreadable") return received(400, { problems: [event.problem] });
      // Exactly 200, also for what is no concern of ours: NanoMDM takes every other answer for an error.
      return received(200, event.kind === "other" ? {} : hear(event, context));
    },
  };
}

function received(httpStatus: number, { reports = [], refresh = [], problems = [] }: Heard = {}): Received {
  return { reports, signals: [], refresh, problems, answer: () => ({ httpStatus }) };
}

function withOwnership({ isUserEnrollment }: ConnectEvent, facts: DeviceFacts): DeviceFacts {
  return isUserEnrollment ? { ...facts, ownership: "personal" } : facts;
}

function ownerOf({ urlParameters }: PhoneEvent, parameter: string | undefined): InventoryReport["owner"] {
  const value = parameter === undefined ? undefined : urlParameters.get(parameter)?.trim();
  if (value === undefined || value === "") return undefined;
  return value.includes("@") ? { email: value } : { name: value };
}
