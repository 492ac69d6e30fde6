/** The second question, after who asks: may they? The only place on the request path that knows what to do when the store is away. */
import type { Policy } from "../policy/campaign.ts";
import type { DeviceId } from "../policy/device.ts";
import { belongsToPerson, judge } from "../policy/judge.ts";
import { judgeMailProgram } from "../policy/mail-program.ts";
import type { EwsStance } from "../policy/mail-program.ts";
import { asksWhenSeen } from "../policy/phase.ts";
import { accountKey } from "../policy/person.ts";
import type { Verdict } from "../policy/verdict.ts";
import type { NoticeCase, NoticeWriter } from "../notice/notice.ts";
import { StoreUnavailable } from "../store/store.ts";
import type { DeviceFacts, LastRequest, MailboxState, Store } from "../store/store.ts";
import { leavesTraces } from "./last-known.ts";
import type { LastKnown } from "./last-known.ts";
import type { Decision, Subject } from "./protocol.ts";

export interface DecideOptions {
  readonly store: Pick<Store, "facts" | "meet">;
  /** Undefined while nobody knows it yet: then nobody is judged by it. */
  readonly policy: () => Policy | undefined;
  /** See `Policy.homeDomains`: they are the configuration's, whatever the policy says. */
  readonly homeDomains: readonly string[];
  readonly notices: NoticeWriter;
  /** The address of the page about a phone, for its notice; undefined where there are no pages. */
  readonly linkTo: LinkTo;
  readonly lastKnown: LastKnown;
  /** Whether a phone's browser is shown the page, or passes. */
  readonly phoneBrowser: "page" | "allow";
  readonly ewsStance: EwsStance;
  /** See `Sessions.changes`. */
  readonly changes: () => number;
  readonly now: () => Date;
}

/** `until`: when the notice will say something else, where that is known. */
type LinkTo = (about: {
  readonly device: DeviceId;
  readonly account: string;
  readonly at: Date;
  readonly until: Date | undefined;
}) => string | undefined;

export type Decide = (subject: Subject) => Promise<Decision>;
type DeviceSubject = Extract<Subject, { kind: "device" }>;

/** For a device of which no mailbox state could be read. */
const nothingKnown: DeviceFacts["mailbox"] = {
  folders: new Map(),
  issued: new Set(),
  unheard: new Set(),
  ping: undefined,
  notice: undefined,
  warning: undefined,
};

export function createDecide({
  store,
  policy,
  homeDomains,
  notices,
  linkTo,
  lastKnown,
  phoneBrowser,
  ewsStance,
  changes,
  now,
}: DecideOptions): Decide {
  return async function decide(subject: Subject): Promise<Decision> {
    switch (subject.kind) {
      case "nobody":
        return withoutDevice({ action: "allow", reason: "not-judged" });
      case "browser":
        if (subject.looksLike === "laptop") return withoutDevice({ action: "allow", reason: "browser-laptop" });
        return withoutDevice({ action: phoneBrowser === "page" ? "quarantine" : "allow", reason: "browser-phone" });
      case "mail-program":
        return withoutDevice(judgeMailProgram(subject.program, ewsStance));
      case "device":
        return decideDevice(subject);
    }
  };

  async function decideDevice(subject: DeviceSubject): Promise<Decision> {
    // A credential that names nobody still has a mailbox of its own: one that no named person shares.
    const account = subject.person === undefined ? "" : accountKey(subject.person, homeDomains);
    let asOf = changes();
    try {
      let facts = await store.facts(subject.candidates, account);
      if (await isFirstSeen(facts)) {
        asOf = changes();
        facts = await store.facts(subject.candidates, account);
      }
      // Asked after the facts: a policy that came into force meanwhile counts.
      const inForce = policy();
      if (inForce === undefined) throw new StoreUnavailable(new Error("the policy is not known yet"));
      return fromFacts(facts, inForce, subject, account, asOf);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      return fromMemory(subject, account, asOf);
    }
  }

  /** Once for each device with a record, and only where a campaign asks: a new phone has its grace from its very first request on. */
  async function isFirstSeen({ id, record }: DeviceFacts): Promise<boolean> {
    if (record === undefined || record.firstSeenAt !== undefined) return false;
    const inForce = policy();
    return inForce !== undefined && asksWhenSeen(inForce) && (await store.meet(id));
  }

  function fromFacts(
    { id, record, mailbox }: DeviceFacts,
    inForce: Policy,
    subject: DeviceSubject,
    account: string,
    asOf: number,
  ): Decision {
    const [spelling] = subject.candidates;
    const known = lastKnown.before(spelling, account);
    const at = now();
    const verdict = judge({ record, person: subject.person, lastKnown: known }, inForce, at);
    const { demands } = verdict;
    const notice =
      verdict.action === "allow" && demands.length === 0
        ? undefined
        : notices.write({
            phase: verdict.action === "allow" ? "warned" : "held",
            findings: demands,
            device: record,
            deviceId: id,
            locale: subject.locale,
            before: toldLately(mailbox.notice, at),
            timezone: record?.timezone,
            campaigns: inForce.campaigns,
            reminders: verdict.reminders,
            link: linkTo({ device: id, account, at, until: verdict.holdsUntil }),
          });
    lastKnown.remember({ spelling, id, account, verdict, notice, mailbox });
    return {
      verdict,
      device: { id, account, mailbox, whose: whoseOf(record, subject.person) },
      notice,
      reportedAt: record?.deviceAt ?? record?.appsAt,
      asOf,
      attended: verdict.action === "allow" && (demands.length > 0 || leavesTraces(mailbox)),
    };
  }

  function whoseOf(record: DeviceFacts["record"], person: DeviceSubject["person"]): LastRequest["whose"] {
    if (record === undefined) return "stranger";
    return belongsToPerson(record, person, homeDomains) ? "owner" : "somebody-else";
  }

  /** The store is away: a device keeps the verdict that it had. A device that never had one is told to come back. */
  function fromMemory(subject: DeviceSubject, account: string, asOf: number): Decision {
    for (const spelling of subject.candidates) {
      const known = lastKnown.recall(spelling, account);
      if (known === undefined) continue;
      const { id, action, state, notice } = known;
      const mailbox = known.mailbox ?? nothingKnown;
      return {
        verdict: { action, state, reason: "last-known", findings: [], demands: [], changesAt: undefined },
        // Nobody's device is remembered otherwise.
        device: { id, account, mailbox, whose: "owner" },
        notice,
        reportedAt: undefined,
        asOf,
        attended: action === "allow" && leavesTraces(mailbox),
      };
    }
    return withoutDevice({ action: "defer", reason: "store-unavailable" });
  }
}

/** A person who has chosen another language for the phone has it in the notice a day later. */
const languageKeptMs = 86_400_000;

function toldLately(told: MailboxState["notice"], now: Date): NoticeCase["before"] {
  if (told?.language === undefined || now.getTime() - told.at.getTime() >= languageKeptMs) return undefined;
  return { digest: told.digest, language: told.language };
}

function withoutDevice({ action, reason }: Pick<Verdict, "action" | "reason">): Decision {
  const verdict: Verdict = { action, reason, state: "unknown", findings: [], demands: [], changesAt: undefined };
  return { verdict, device: undefined, notice: undefined, reportedAt: undefined, asOf: 0, attended: false };
}

/** Which devices a person's request may be about: for whoever waits for news about it. */
export function idsOf(subject: Subject, decision: Decision): readonly DeviceId[] {
  if (subject.kind !== "device") return [];
  const ids = new Set<DeviceId>(subject.candidates);
  if (decision.device !== undefined) ids.add(decision.device.id);
  return [...ids];
}
