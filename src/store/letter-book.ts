/** How a letter stands in a book of the store: one line for each, named so that it can be claimed once. */
import { toDeviceId } from "../policy/device.ts";
import { isJsonObject, readJson, readTime } from "./field-values.ts";
import { letterKinds } from "./store.ts";
import type { LetterEntry, LetterKey } from "./store.ts";

const states = ["claimed", "sent", "refused", "postponed"] as const;

/** What a mail server says is shown to an operator; nobody reads on. */
const DETAIL_LIMIT = 200;

export function bookOf({ campaign, run }: Pick<LetterKey, "campaign" | "run">): string {
  return `letters:${campaign}:${run}`;
}

export function lineOf({ device, kind, number, attempt }: LetterKey): string {
  return `${device}:${kind}:${number}:${attempt}`;
}

export function textOf({ state, at, to, detail }: Pick<LetterEntry, "state" | "at" | "to" | "detail">): string {
  return JSON.stringify({ state, at: at.toISOString(), to, detail: detail.slice(0, DETAIL_LIMIT).toWellFormed() });
}

/** Undefined for a line that is none of ours. */
export function readLetter(campaign: string, run: number, line: string, text: string): LetterEntry | undefined {
  const [deviceText = "", kindText, numberText = "", attemptText = ""] = line.split(":");
  const device = toDeviceId(deviceText);
  const kind = letterKinds.find((each) => each === kindText);
  const json = readJson(text);
  const isNumbered = [numberText, attemptText].every((each) => /^\d{1,3}$/.test(each));
  if (device === undefined || kind === undefined || !isNumbered || !json.ok || !isJsonObject(json.value))
    return undefined;
  const { at, to, detail, state: stateText } = json.value;
  const state = states.find((each) => each === stateText);
  const time = typeof at === "string" ? readTime(at) : undefined;
  if (state === undefined || time?.ok !== true) return undefined;
  return {
    campaign,
    run,
    device,
    kind,
    number: Number(numberText),
    attempt: Number(attemptText),
    state,
    at: time.value,
    to: typeof to === "string" ? to : "",
    detail: typeof detail === "string" ? detail : "",
  };
}
