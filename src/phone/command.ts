/** `postern phone`: the phone as a command. */
import { readFile } from "node:fs/promises";
import { harmlessLine } from "./cells.ts";
import { isProtocolVersion, protocolVersions, type ProtocolVersion } from "./dialect.ts";
import { PhoneError } from "./errors.ts";
import type { Trouble } from "./outcome.ts";
import { createPhone, type Phone } from "./phone.ts";
import { printMessage, printPhone, type Paper } from "./print.ts";
import { loadState, saveState } from "./state-file.ts";
import { troubleView, viewOf, type PhoneFrame } from "./view.ts";
import { attempt, pauseFor, watch, type Fetched, type Pause } from "./watch.ts";

export type PhoneAction =
  | { readonly kind: "inbox" }
  | { readonly kind: "watch" }
  /** As numbered in the inbox, from 1. */
  | { readonly kind: "read"; readonly number: number }
  | { readonly kind: "send"; readonly to: string; readonly subject: string; readonly text: string };

export interface PhoneCommandOptions {
  readonly url: string;
  readonly user: string;
  readonly device: string;
  readonly passwordFile?: string | undefined;
  /** The device type that the phone claims. */
  readonly type?: string | undefined;
  readonly userAgent?: string | undefined;
  /** The address in From. */
  readonly from?: string | undefined;
  /** A protocol version. */
  readonly as?: string | undefined;
  readonly base64?: boolean | undefined;
  readonly language?: string | undefined;
  readonly state?: string | undefined;
  readonly json?: boolean | undefined;
  readonly watch?: boolean | undefined;
  readonly heartbeatSeconds?: number | undefined;
  /** A PEM file. */
  readonly ca?: string | undefined;
  readonly insecure?: boolean | undefined;
}

interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface PhoneIo {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  readonly now?: (() => Date) | undefined;
  readonly timeZone?: string | undefined;
  readonly pause?: Pause | undefined;
}

export type PhoneExitCode = 0 | 1 | 2 | 4;

const heartbeatSeconds = 480;

interface Desk {
  readonly phone: Phone;
  readonly options: PhoneCommandOptions;
  readonly io: PhoneIo;
  readonly paper: Paper;
  frame(): PhoneFrame;
}

export async function runPhone(action: PhoneAction, options: PhoneCommandOptions, io: PhoneIo): Promise<PhoneExitCode> {
  const desk = await attempt(() => openDesk(options, io));
  if (desk instanceof PhoneError) return complain(io, desk);
  try {
    const code = await attempt(() => act(action, desk));
    // Whatever happened: the keys that the server gave on the way are the ones that it expects next time.
    if (options.state !== undefined) await saveState(options.state, desk.phone.state());
    return code instanceof PhoneError ? complain(io, code) : code;
  } catch (error) {
    if (error instanceof PhoneError) return complain(io, error);
    throw error;
  } finally {
    desk.phone.close();
  }
}

async function openDesk(options: PhoneCommandOptions, io: PhoneIo): Promise<Desk> {
  const state = options.state === undefined ? undefined : await loadState(options.state);
  const ca = options.ca === undefined ? undefined : await readOption(options.ca, "--ca");
  const version = protocolVersion(options.as);
  const phone = createPhone({
    url: options.url,
    user: options.user,
    deviceId: options.device,
    ...(await credential(options, io)),
    ...(options.from === undefined ? {} : { address: options.from }),
    ...(options.type === undefined ? {} : { deviceType: options.type }),
    ...(options.userAgent === undefined ? {} : { userAgent: options.userAgent }),
    ...(options.language === undefined ? {} : { acceptLanguage: options.language }),
    ...(version === undefined ? {} : { protocolVersion: version }),
    ...(ca === undefined ? {} : { ca }),
    ...(state === undefined ? {} : { state }),
    queryForm: options.base64 === true ? "base64" : "plain",
    insecure: options.insecure ?? false,
    ...(io.now === undefined ? {} : { now: io.now }),
  });
  const server = new URL(options.url).host;
  const now = io.now ?? (() => new Date());
  const deviceType = options.type ?? "SmartPhone";
  return {
    phone,
    options,
    io,
    paper: paperOf(io),
    frame: () => ({ user: options.user, deviceId: options.device, deviceType, server, now: now() }),
  };
}

/** No prompt: the command has to work where nobody sits. And no flag: other people see the flags of a process. */
async function credential(
  options: PhoneCommandOptions,
  io: PhoneIo,
): Promise<{ password: string } | { token: string }> {
  if (options.passwordFile !== undefined) {
    const content = await readOption(options.passwordFile, "--password-file");
    return { password: content.replace(/\r?\n$/u, "") };
  }
  const { POSTERN_PHONE_PASSWORD: password, POSTERN_PHONE_TOKEN: token } = io.env;
  if (password !== undefined && password !== "") return { password };
  if (token !== undefined && token !== "") return { token };
  throw new PhoneError("options", "no password: give --password-file FILE or set POSTERN_PHONE_PASSWORD");
}

async function readOption(path: string, flag: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new PhoneError("options", `${flag}: ${path} cannot be read`, cause);
  }
}

function protocolVersion(text: string | undefined): ProtocolVersion | undefined {
  if (text === undefined || isProtocolVersion(text)) return text;
  throw new PhoneError("options", `--as takes one of ${protocolVersions.join(", ")}`);
}

/** NO_COLOR counts when it is not empty (no-color.org). */
function paperOf({ stdout, env, timeZone }: PhoneIo): Paper {
  const plain = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb" || stdout.isTTY !== true;
  return { columns: stdout.columns, color: !plain, timeZone };
}

async function act(action: PhoneAction, desk: Desk): Promise<PhoneExitCode> {
  switch (action.kind) {
    case "inbox":
      return desk.options.watch === true ? watchInbox(desk) : showInbox(desk);
    case "watch":
      return watchInbox(desk);
    case "read":
      return readMessage(desk, action.number);
    case "send":
      return sendMessage(desk, action);
  }
}

async function showInbox(desk: Desk): Promise<PhoneExitCode> {
  const result = await fetchMail(desk);
  show(desk, result);
  return exitCode(result);
}

/** A phone that is opened looks for new folders as well, and does not wait to be told. */
async function fetchMail({ phone }: Desk): Promise<Fetched> {
  return attempt(async () => {
    if (phone.folders().length > 0) {
      const folders = await phone.folderSync();
      if (folders.kind !== "ok") return folders;
    }
    return phone.refresh();
  });
}

async function watchInbox(desk: Desk): Promise<PhoneExitCode> {
  const { phone, options, io } = desk;
  let shown = "";
  const result = await watch(phone, {
    heartbeatSeconds: options.heartbeatSeconds ?? heartbeatSeconds,
    signal: io.signal ?? new AbortController().signal,
    pause: io.pause ?? pauseFor,
    show: async (fetched) => {
      if (options.state !== undefined) await saveState(options.state, phone.state());
      if (!(fetched instanceof PhoneError) && fetched.kind === "stopped") return;
      // The clock alone is no reason to be shown again.
      const { at: _at, ...seen } = viewOf(phone, desk.frame(), fetched);
      const now = JSON.stringify(seen);
      if (now !== shown) show(desk, fetched, { again: shown !== "" });
      shown = now;
    },
  });
  return exitCode(result);
}

function show(desk: Desk, result: Fetched, { again } = { again: false }): void {
  const { io, options, paper, phone } = desk;
  const view = viewOf(phone, desk.frame(), result);
  if (options.json === true) {
    io.stdout.write(`${JSON.stringify(view)}\n`);
    return;
  }
  const wipe = io.stdout.isTTY === true && io.env["TERM"] !== "dumb" ? "\u001b[2J\u001b[H" : "\n";
  io.stdout.write(`${again ? wipe : ""}${printPhone(view, paper)}`);
}

async function readMessage(desk: Desk, number: number): Promise<PhoneExitCode> {
  const { phone, io, options, paper } = desk;
  const fetched = await fetchMail(desk);
  if (fetched instanceof PhoneError) throw fetched;
  if (fetched.kind !== "ok") return refuse(io, fetched);
  const inbox = phone.inbox();
  const message = inbox[number - 1];
  if (message === undefined) {
    const holds = inbox.length === 1 ? "one message" : `${inbox.length} messages`;
    throw new PhoneError("options", `there is no message ${number}: the inbox holds ${holds}`);
  }
  const body = await phone.fetch(message);
  if (body.kind !== "ok") return refuse(io, body);
  if (!message.read) await phone.markRead(message);
  if (options.json === true) io.stdout.write(`${JSON.stringify({ ...message, read: true, text: body.text })}\n`);
  else io.stdout.write(printMessage(message, body.text, paper));
  return 0;
}

async function sendMessage(desk: Desk, mail: Extract<PhoneAction, { kind: "send" }>): Promise<PhoneExitCode> {
  const { phone, io, options } = desk;
  const sent = await attempt(() => phone.send({ to: mail.to, subject: mail.subject, text: mail.text }));
  // Nothing was queued, because it could not have been sent by anybody.
  if (sent instanceof PhoneError && sent.code === "options") throw sent;
  const waiting = phone.outbox().length;
  if (options.json === true) io.stdout.write(`${JSON.stringify({ sent: waiting === 0, outbox: phone.outbox() })}\n`);
  else if (waiting === 0) io.stdout.write("Sent.\n");
  else if (options.state !== undefined)
    io.stdout.write("Not sent. It waits in the outbox and goes with the next call.\n");
  else io.stdout.write("Not sent, and forgotten: without --state the phone has no outbox that lasts.\n");
  if (sent instanceof PhoneError) return complain(io, sent);
  return sent.kind === "ok" ? 0 : refuse(io, sent);
}

function refuse(io: PhoneIo, trouble: Trouble): PhoneExitCode {
  io.stderr.write(`postern phone: ${harmlessLine(troubleView(trouble).words)}\n`);
  return 1;
}

function complain(io: PhoneIo, error: PhoneError): PhoneExitCode {
  io.stderr.write(`postern phone: ${harmlessLine(error.message)}\n`);
  return exitCodeForError(error);
}

function exitCode(result: Fetched): PhoneExitCode {
  if (result instanceof PhoneError) return exitCodeForError(result);
  return result.kind === "ok" || result.kind === "stopped" ? 0 : 1;
}

function exitCodeForError({ code }: PhoneError): PhoneExitCode {
  switch (code) {
    case "options":
    case "no-such-folder":
    case "no-such-item":
      return 2;
    case "unreachable":
    case "timeout":
    case "connection-lost":
    case "tls":
      return 4;
    case "answer-too-large":
    case "answer-unreadable":
    case "sync-loop":
    case "state":
      return 1;
  }
}
