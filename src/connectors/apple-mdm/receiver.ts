/** What the management system sends, turned into reports. Events of one phone come in any order, and some never. */
import type { ConnectorContext, Received, ReceivedRequest, Receiver } from "../../inventory/connector.ts";
import type { InventoryReport, ReportedApps } from "../../inventory/report.ts";
import { readAnswer } from "./answer.ts";
import type { ConnectEvent, DeviceFacts } from "./answer.ts";
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
  /** The last of the questions that are asked together. */
  readonly lastAsked: CommandKind;
  readonly outstanding: Outstanding;
}

/** 20 lines of what could not be used in a minute: a phone can send such things without end, and each in other words. */
export const PROBLEMS_LIMIT = 20;
const problemsEveryMs = 60_000;

type PhoneEvent = Exclude<WebhookEvent, { readonly kind: "other" | "unreadable" }>;

interface Heard {
  readonly reports?: readonly InventoryReport[];
  readonly refresh?: readonly string[];
  readonly problems?: readonly string[];
  /** What was told could not be kept. The server does not tell it again, so the phone has to. */
  readonly undo?: () => Promise<void>;
}

export function createAppleMdmReceiver(options: ReceiverOptions): Receiver {
  const { source, isGenuine, ownerParameter, asked, lastAsked, outstanding } = options;

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

  async function hear(event: PhoneEvent, context: ConnectorContext): Promise<Heard> {
    const { device } = event;
    const current = asked.question(context.appIds()).digest;
    switch (event.kind) {
      case "authenticate":
        // Not enrolled yet: whoever has left and only begins to come back must not count as managed. What waited for it is dropped there.
        await outstanding.forget(device, current);
        return {};
      case "check-out":
        await outstanding.forget(device, current);
        return {
          reports: [{ source, sourceDeviceId: device, enrolled: false, deviceAt: timeOf(event, context) }],
        };
      case "token-update": {
        const isNew = event.tally === 1;
        const isUnasked = await outstanding.heard(device, current);
        return {
          reports: [reportOf(event, isNew ? { enrolledAt: timeOf(event, context) } : {}, context)],
          refresh: isNew || isUnasked ? [device] : [],
          undo: () => outstanding.forget(device, current),
        };
      }
      case "connect":
        return hearConnect(event, current, context);
    }
  }

  async function hearConnect(event: ConnectEvent, current: string, context: ConnectorContext): Promise<Heard> {
    const { device, commandId = "", deviceStatus } = event;
    const command = readCommandId(commandId);
    if (command === undefined) return { refresh: (await outstanding.heard(device, current)) ? [device] : [] };
    // It is locked or busy: the command waits on, and the phone comes back by itself.
    if (deviceStatus === "NotNow") return {};
    const isAwaited = await outstanding.awaits(device, current);
    // Phones answer in order: with the last one, nothing is left that waits.
    if (command.kind === lastAsked) await outstanding.end(device, command.digest);
    const undo = (): Promise<void> => outstanding.forget(device, current);
    const answer = readAnswer(event, command.kind);
    switch (answer.kind) {
      case "refused":
      case "unreadable": {
        const verb = answer.kind === "refused" ? "is refused by a phone" : "is answered unreadably";
        return { problems: [`${requestTypeOf(command.kind)} ${verb}: ${answer.problem}`] };
      }
      case "device":
        return { reports: [reportOf(event, withOwnership(event, answer.facts), context)], undo };
      case "apps": {
        const ids = answer.apps.map(({ id }) => id);
        if (command.kind === "all") asked.learn(context.appIds(), ids);
        // Asked by an older policy: what the newer one asks for is still open.
        const isOutdated = command.kind === "asked" && command.digest !== current && !isAwaited;
        const at = timeOf(event, context);
        const apps: ReportedApps = { ...scopeOf(event, command, ids), apps: answer.apps, at };
        return { reports: [reportOf(event, { apps }, context)], refresh: isOutdated ? [device] : [], undo };
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

  let told = new Set<string>();
  let toldSince = Number.NEGATIVE_INFINITY;
  /** Each line once in a while. */
  function fewer(problems: readonly string[] = [], now: Date): readonly string[] {
    if (Math.abs(now.getTime() - toldSince) >= problemsEveryMs) {
      told = new Set();
      toldSince = now.getTime();
    }
    const fresh = problems.filter((each) => !told.has(each)).slice(0, PROBLEMS_LIMIT - told.size);
    for (const each of fresh) told.add(each);
    return fresh;
  }

  return {
    bodyLimitBytes: WEBHOOK_LIMIT_BYTES,
    async receive(request, context) {
      if (!isGenuine(request)) return received(401);
      if (request.method !== "POST") return received(405);
      const event = readWebhookEvent(request.body);
      if (event.kind === "unreadable") return received(400, { problems: fewer([event.problem], context.now()) });
      // Exactly 200, also for what is no concern of ours: NanoMDM takes every other answer for an error.
      const heard = event.kind === "other" ? {} : await hear(event, context);
      return received(200, { ...heard, problems: fewer(heard.problems, context.now()) });
    },
  };
}

function received(httpStatus: number, heard: Heard = {}): Received {
  const { reports = [], refresh = [], problems = [], undo } = heard;
  return {
    reports,
    signals: [],
    refresh,
    problems,
    ...(undo !== undefined && { undo }),
    answer: () => ({ httpStatus }),
  };
}

function withOwnership({ isUserEnrollment }: ConnectEvent, facts: DeviceFacts): DeviceFacts {
  return isUserEnrollment ? { ...facts, ownership: "personal" } : facts;
}

function ownerOf({ urlParameters }: PhoneEvent, parameter: string | undefined): InventoryReport["owner"] {
  const value = parameter === undefined ? undefined : urlParameters.get(parameter)?.trim();
  if (value === undefined || value === "") return undefined;
  return value.includes("@") ? { email: value } : { name: value };
}
