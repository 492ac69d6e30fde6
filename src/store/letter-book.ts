/**
 * How letters stand in books of the store. In one each letter has a line, named so that it can be claimed once. In a second
 * one the envelopes say which line is theirs, and in a third are those that came back: what the sender notes late, after an
 * outage of the store, cannot undo that.
 */
import { toDeviceId } from "../policy/device.ts";
import type { Backend } from "./backend.ts";
import { isJsonObject, readJson, readTime } from "./field-values.ts";
import { letterKinds, letterStates } from "./store.ts";
import type { LetterEntry, LetterKey, LetterStore } from "./store.ts";

/** What a mail server says is shown to an operator; nobody reads on. */
const DETAIL_LIMIT = 200;

type Run = Pick<LetterKey, "campaign" | "run">;

const bookOf = ({ campaign, run }: Run): string => `letters:${campaign}:${run}`;
const envelopesOf = ({ campaign, run }: Run): string => `letter-envelopes:${campaign}:${run}`;
const bouncesOf = ({ campaign, run }: Run): string => `letter-bounces:${campaign}:${run}`;

export function letterBooks(backend: Pick<Backend, "claim" | "note" | "line" | "lines" | "lease">): LetterStore {
  async function* letters(campaign: string, run: number): AsyncGenerator<LetterEntry> {
    const bounces = new Map<string, string>();
    for await (const page of backend.lines(bouncesOf({ campaign, run })))
      for (const [line, text] of page) bounces.set(line, text);
    for await (const page of backend.lines(bookOf({ campaign, run }))) {
      for (const [line, text] of page) {
        const letter = readLetter({ campaign, run }, line, text);
        if (letter !== undefined) yield withBounce(letter, bounces.get(line));
      }
    }
  }

  return {
    claimLetter: (key, at, addressee) =>
      backend.claim(bookOf(key), lineOf(key), textOf({ ...addressee, state: "claimed", at, detail: "" })),
    settleLetter: (entry) => backend.note(bookOf(entry), lineOf(entry), textOf(entry)),
    noteEnvelope: async (envelope, key) => {
      await backend.claim(envelopesOf(envelope), envelope.secret, lineOf(key));
    },
    async bounceLetter(envelope, at, detail): Promise<LetterEntry | undefined> {
      const line = await backend.line(envelopesOf(envelope), envelope.secret);
      const text = line === undefined ? undefined : await backend.line(bookOf(envelope), line);
      if (line === undefined || text === undefined) return undefined;
      const letter = readLetter(envelope, line, text);
      if (letter === undefined) return undefined;
      const bounce = JSON.stringify({ at: at.toISOString(), detail: shortened(detail) });
      await backend.claim(bouncesOf(envelope), line, bounce);
      return withBounce(letter, await backend.line(bouncesOf(envelope), line));
    },
    letters,
    holdLease: (name, holder, ms) => backend.lease(name, holder, ms),
  };
}

function lineOf({ device, kind, number, attempt }: LetterKey): string {
  return `${device}:${kind}:${number}:${attempt}`;
}

type Written = Pick<LetterEntry, "state" | "at" | "to" | "person" | "detail">;

function textOf({ state, at, to, person, detail }: Written): string {
  return JSON.stringify({ state, at: at.toISOString(), to, person, detail: shortened(detail) });
}

function shortened(detail: string): string {
  return detail.slice(0, DETAIL_LIMIT).toWellFormed();
}

/** Undefined for a line that is none of ours. */
function readLetter({ campaign, run }: Run, line: string, text: string): LetterEntry | undefined {
  const [deviceText = "", kindText, numberText = "", attemptText = ""] = line.split(":");
  const device = toDeviceId(deviceText);
  const kind = letterKinds.find((each) => each === kindText);
  const json = readJson(text);
  // A mail server that comes and goes for days makes many attempts.
  const isNumbered = [numberText, attemptText].every((each) => /^\d{1,6}$/.test(each));
  if (device === undefined || kind === undefined || !isNumbered || !json.ok || !isJsonObject(json.value))
    return undefined;
  const { at, to, person, detail, state: stateText } = json.value;
  const state = letterStates.find((each) => each === stateText);
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
    person: typeof person === "string" ? person : "",
    detail: typeof detail === "string" ? detail : "",
  };
}

/** Of a letter that the mail server has not taken nothing comes back, whatever somebody says. */
function withBounce(letter: LetterEntry, text: string | undefined): LetterEntry {
  if (text === undefined || (letter.state !== "sent" && letter.state !== "claimed")) return letter;
  const json = readJson(text);
  const { at, detail } = json.ok && isJsonObject(json.value) ? json.value : {};
  const time = typeof at === "string" ? readTime(at) : undefined;
  return {
    ...letter,
    state: "bounced",
    at: time?.ok === true ? time.value : letter.at,
    detail: typeof detail === "string" ? detail : "",
  };
}
