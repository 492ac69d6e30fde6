/** What the parts of the program tell the operator, as lines of the log. */
import type { ReadLine } from "./audit/chain.ts";
import type { EntryDraft } from "./audit/entry.ts";
import type { LivePolicyEvent } from "./campaign/live-policy.ts";
import type { Tripped } from "./campaign/watch.ts";
import type { PostOfficeEvent } from "./letters/post-office.ts";
import type { StoreEvent } from "./store/store.ts";
import type { SelfServiceEvent } from "./self-service/self-service.ts";
import type { DeviceHash } from "./telemetry/device-hash.ts";
import type { SyncEvent } from "./sync/events.ts";
import { errorChain } from "./telemetry/log.ts";
import type { Log } from "./telemetry/log.ts";
import type { Metrics } from "./telemetry/metrics.ts";

export function reportTripped(log: Log, { campaign, cut, limit, paused }: Tripped): void {
  const fields = { campaign, cut, limit };
  if (paused === undefined)
    return log.error(
      "a campaign of the configuration file cuts far more phones than foreseen; it cannot pause itself",
      {
        ...fields,
      },
    );
  log.error("a campaign has paused itself: it cuts far more phones than foreseen", {
    ...fields,
    version: paused.version,
  });
}

export function reportPolicy(log: Log, event: LivePolicyEvent): void {
  switch (event.kind) {
    case "in-force":
      return log.info("policy", { version: event.version });
    case "unreadable":
      return log.error("a policy that cannot be read is not in force", {
        version: event.version,
        problem: event.problem,
      });
    case "ignored":
      return log.warn("the policy in the store does not count: the configuration file has campaigns or exemptions", {
        version: event.version,
      });
    case "lost":
      return log.error("the store has lost the policy that is in force here, which stays so: act, or roll back", {
        version: event.version,
        found: event.found,
      });
    case "replaced":
      return log.error("the store had lost a version of the policy: another one of its number is in force", {
        version: event.version,
      });
    case "unanswered":
      return log.error("the policy in the store cannot be read: what is in force may be out of date", {
        detail: event.detail,
      });
    case "answered":
      return log.info("the policy in the store is read again", {});
  }
}

/** Which person, and what the mail server said of their address, is for `campaign letters`; the log has the device's hash. */
export function reportLetters(log: Log, hashDevice: DeviceHash, event: PostOfficeEvent): void {
  switch (event.kind) {
    case "round":
      return log.info("letters", { ...event.result, durationMs: Math.round(event.durationMs) });
    case "problem": {
      const { campaign, device, kind } = event.problem;
      return log.warn("a letter was not sent", { campaign, device: hashDevice(device), code: kind });
    }
    case "mail-server-away":
      return log.warn("the mail server for letters does not answer", { detail: event.detail });
    case "failed":
      return log.error("letters failed", { cause: errorChain(event.cause) });
  }
}

export function reportSync(log: Log, { inventory }: Pick<Metrics, "inventory">, event: SyncEvent): void {
  switch (event.kind) {
    case "log":
      return log[event.level](event.event, event.fields);
    case "reports":
      return inventory.reported(event.source, event.result, event.count);
    case "alert":
      return inventory.alerted(event.source, event.alert);
    case "recheck":
      return inventory.rechecked(event.outcome);
    case "request":
      return inventory.answered(event.source, event.httpStatus);
    case "state":
      return inventory.observed(event.leading, event.connectors);
  }
}

export function reportStore(log: Log, event: StoreEvent): void {
  if (event.kind === "listener-failed") log.error("store listener failed", { cause: errorChain(event.cause) });
  else
    log[event.health.state === "live" ? "info" : "warn"]("store", {
      state: event.health.state,
      detail: event.health.detail,
    });
}

/** An operator has a name here, which is what the line is for. Devices are hashes, and what their records said stays in the trail. */
export function reportAuditLine(log: Log, hashDevice: DeviceHash, read: ReadLine): void {
  if (read.kind !== "good") return log.error("an entry of the audit trail is not ours", { problem: read.kind });
  const { writer, sequence, entry } = read.line;
  const { at, kind, outcome, act, actor, why, address, device, about, version, before, after } = entry;
  log.info("audit", {
    kind,
    act,
    outcome,
    at: at.toISOString(),
    actor,
    why,
    address,
    device: device === undefined ? undefined : hashDevice(device),
    about,
    version,
    ...(kind === "verdict" && { before: before["verdict"], after: after["verdict"] }),
    changed: [...new Set([...Object.keys(before), ...Object.keys(after)])],
    writer,
    sequence,
  });
}

export function trippedEntry({ campaign, cut, limit, paused }: Tripped): EntryDraft {
  return {
    kind: "guard-tripped",
    act: paused === undefined ? "" : "pause",
    actor: paused?.who ?? "postern guard",
    why: paused?.why ?? "it stands in the configuration file, and cannot pause itself",
    about: [campaign],
    version: paused?.version,
    after: { cut: String(cut), limit: String(limit) },
  };
}

/** Who looks at a page is nobody's business; that somebody has asked for a check, or registered a phone, is an act, and stands in the log. */
export function reportSelfService(log: Log, metrics: Metrics, hashDevice: DeviceHash, event: SelfServiceEvent): void {
  if (event.kind === "page") return metrics.pageAsked(event.result);
  const fields = { by: "page", result: event.result, device: hashDevice(event.device) };
  if (event.kind === "register") {
    metrics.registered(event.result);
    return log.info("phone registered by its owner", fields);
  }
  metrics.checkAsked(event.result);
  log.info("check asked for", fields);
}
