/** The conditions that a campaign can ask for. One file each in `requirements/`; this is the list of them. */
import type { DeviceRecord } from "./device.ts";
import { checkAbsent } from "./requirements/absent.ts";
import type { AbsentRequirement } from "./requirements/absent.ts";
import { checkEnrolled } from "./requirements/enrolled.ts";
import type { EnrolledRequirement } from "./requirements/enrolled.ts";
import { checkNotCompromised } from "./requirements/not-compromised.ts";
import type { NotCompromisedRequirement } from "./requirements/not-compromised.ts";
import { checkOs } from "./requirements/os.ts";
import type { OsRequirement } from "./requirements/os.ts";
import { checkReported } from "./requirements/reported.ts";
import type { ReportedRequirement } from "./requirements/reported.ts";
import { checkSourceCompliant } from "./requirements/source-compliant.ts";
import type { SourceCompliantRequirement } from "./requirements/source-compliant.ts";
import type { CheckResult, Demand } from "./requirements/result.ts";

export type Requirement =
  | AbsentRequirement
  | OsRequirement
  | ReportedRequirement
  | EnrolledRequirement
  | NotCompromisedRequirement
  | SourceCompliantRequirement;

/** Whether a device fulfils it, as far as its record shows. Pure. */
export function check(requirement: Requirement, record: DeviceRecord, demand: Demand, now: Date): CheckResult {
  switch (requirement.kind) {
    case "absent":
      return checkAbsent(requirement, record, demand);
    case "os":
      return checkOs(requirement, record, demand);
    case "reported":
      return checkReported(requirement, record, demand, now);
    case "enrolled":
      return checkEnrolled();
    case "not-compromised":
      return checkNotCompromised(record, demand);
    case "source-compliant":
      return checkSourceCompliant(record, demand, now);
  }
}
