/**
 * Which mail programs may use EWS. There is no device id in it, so nothing here asks what is known of a person's phones: a
 * phone that is held back must not take its owner's laptop with it.
 */
import type { Verdict } from "./verdict.ts";

export const ewsStances = ["allow", "laptops", "deny"] as const;
export type EwsStance = (typeof ewsStances)[number];

/** What a program says it is: one of a computer, one that the operator has named, or anything else, phones among them. */
export type MailProgram = "laptop" | "listed" | "other";

export function judgeMailProgram(program: MailProgram, stance: EwsStance): Pick<Verdict, "action" | "reason"> {
  const reason = `ews-${program}` as const;
  switch (stance) {
    case "allow":
      return { action: "allow", reason };
    case "laptops":
      return { action: program === "other" ? "block" : "allow", reason };
    case "deny":
      return { action: "block", reason: "ews-closed" };
  }
}
