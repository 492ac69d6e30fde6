/** What findings are about, in the terms in which it is told. */
import type { Finding } from "../policy/verdict.ts";
import { appsOf, minimumOf, otherReasons } from "./found.ts";
import type { ListCase } from "./found.ts";
import type { Matter } from "./language.ts";
import { datumOf } from "./phrase.ts";
import type { Datum } from "./phrase.ts";

/** A matter, and the finding that brought it up. */
export interface Subject {
  readonly matter: Matter;
  readonly finding: Finding | undefined;
}

interface MatterCase extends Pick<ListCase, "device" | "language" | "say"> {
  /** All that have to go, of all findings. */
  readonly apps: readonly Datum[];
}

/** In the order of the findings; what several findings have in common is said once. Never empty: the first leads. */
export function mattersOf(findings: readonly Finding[], about: MatterCase): readonly [Subject, ...Subject[]] {
  const subjects = new Map<Matter["kind"], Subject>();
  for (const finding of findings) {
    for (const matter of mattersIn(finding, findings, about)) {
      if (!subjects.has(matter.kind)) subjects.set(matter.kind, { matter, finding });
    }
  }
  const [lead = { matter: { kind: "nothing-known" } as const, finding: undefined }, ...others] = subjects.values();
  return [lead, ...others];
}

function mattersIn(finding: Finding, findings: readonly Finding[], about: MatterCase): Matter[] {
  const { device, language, say } = about;
  switch (finding.kind) {
    case "app-present":
      return appsMatter(about);
    case "source-noncompliant": {
      const apps = appsOf([finding], device, "").length > 0 ? appsMatter(about) : [];
      const onlyApps = apps.length > 0 && otherReasons(finding, device).length === 0;
      return onlyApps ? apps : [...apps, { kind: "reported" }];
    }
    case "os-outdated":
      return [{ kind: "os", minimum: minimumOf(finding, device, language) }];
    case "patch-outdated":
      return [{ kind: "patch", minimum: minimumOf(finding, device, language) }];
    case "report-overdue": {
      const { reportedAt, withinHours } = finding;
      return [{ kind: "stale", reportedAt: reportedAt && say(reportedAt), withinHours }];
    }
    case "stale":
      return [{ kind: "stale", reportedAt: say(finding.reportedAt), withinHours: finding.maxAgeHours }];
    case "compromised":
      return [{ kind: "compromised" }];
    case "override":
      return [{ kind: "switched-off", why: datumOf(finding.why) }];
    case "not-enrolled":
    case "not-enrolled-for":
      return [{ kind: "not-enrolled" }];
    case "owner-mismatch":
      return [{ kind: "owner-mismatch" }];
    case "id-contested":
      return [{ kind: "id-contested" }];
    case "uninspectable": {
      const names = findings.flatMap((other) =>
        other.kind === "uninspectable" && other.unseen.kind === "app" ? [other.unseen.name] : [],
      );
      return [{ kind: "uninspectable", apps: [...new Set(names)].flatMap((name) => datumOf(name) ?? []) }];
    }
    case "record-unreadable":
      return [{ kind: "record-unreadable" }];
  }
}

function appsMatter({ apps: [first, ...rest], device }: MatterCase): Matter[] {
  if (first === undefined) return [];
  return [{ kind: "apps", apps: [first, ...rest], onlyInWorkProfile: device?.appsScope === "work-profile" }];
}
