/**
 * A NanoMDM or MicroMDM over real HTTP, with phones that speak with it: queues, pushes, and webhooks that are sent each by its own task,
 * so that they may overtake each other, and never again. What it answers in which case was watched on a running NanoMDM, or is in its docs.
 */
import { createHmac, randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { startFakeSource } from "./fake-source.ts";
import type { FakeAnswer, FakeRequest, FakeSource } from "./fake-source.ts";
import { answerOf, readCommand } from "./simulated-iphone.ts";
import type { ReadCommand, SimulatedIphone } from "./simulated-iphone.ts";

export interface FakeAppleMdmOptions {
  readonly kind?: "nanomdm" | "micromdm";
  readonly apiKey?: string;
  /** Undefined: events are only kept. */
  readonly webhookUrl?: string | undefined;
  /** NanoMDM signs with it. */
  readonly hmacKey?: string | undefined;
  readonly now?: () => Date;
  /** How long each webhook takes on its way; by default they come at once. */
  readonly webhookDelayMs?: (count: number) => number;
}

export interface FakeEvent {
  readonly body: string;
  readonly headers: ReadonlyMap<string, string>;
}

export interface FakeAppleMdm {
  /** Where webhooks go from now on. */
  sendTo(url: string): void;
  readonly server: FakeSource;
  /** Of its interface, for the configuration. */
  readonly apiUrl: string;
  readonly phones: ReadonlyMap<string, SimulatedIphone>;
  /** All events so far, those that were lost included. */
  readonly events: readonly FakeEvent[];
  /** The property lists of all phones so far. */
  said(): readonly string[];
  /** What each webhook was answered. */
  readonly answers: readonly number[];
  /** The phone is enrolled, which the server tells. */
  enrol(phone: SimulatedIphone): void;
  /** It is known to the server, and nobody is told. */
  knows(phone: SimulatedIphone): void;
  checkOut(id: string): void;
  /** The phone speaks with the server, as when it is unlocked or started. */
  contact(id: string): Promise<void>;
  /** The next commands of this phone are answered twice. */
  repeatAnswers(count: number): void;
  /** The next webhooks are lost on their way. */
  loseWebhooks(count: number): void;
  /** APNs does not take pushes. */
  failPushes(fails: boolean): void;
  readonly commandsOf: (id: string) => readonly ReadCommand[];
  /** Until every phone and every webhook has come to rest. */
  settled(): Promise<void>;
  /** An event as the server would send it. */
  event(topic: string, phone: SimulatedIphone, more: Readonly<Record<string, unknown>>): FakeEvent;
  /** The answer of a phone to a command, as an event. */
  connectEvent(
    phone: SimulatedIphone,
    commandId: string | undefined,
    status: string,
    plist: string,
    at?: Date,
  ): FakeEvent;
  close(): Promise<void>;
}

interface Queued {
  readonly command: ReadCommand;
  isAnswered: boolean;
  isPostponed: boolean;
}

export function idOf(phone: SimulatedIphone): string {
  return phone.enrollmentId ?? phone.udid;
}

export async function startFakeAppleMdm(options: FakeAppleMdmOptions = {}): Promise<FakeAppleMdm> {
  const { kind = "nanomdm", apiKey = "the-api-key", hmacKey, now = () => new Date() } = options;
  let { webhookUrl } = options;
  const phones = new Map<string, SimulatedIphone>();
  const queues = new Map<string, Queued[]>();
  const sessions = new Map<string, Promise<void>>();
  const events: FakeEvent[] = [];
  const said: string[] = [];
  const answers: number[] = [];
  const tasks = new Set<Promise<void>>();
  let toLose = 0;
  let toRepeat = 0;
  let pushesFail = false;

  const credential = `Basic ${Buffer.from(`${kind}:${apiKey}`).toString("base64")}`;
  const queueOf = (id: string): Queued[] => queues.get(id) ?? queues.set(id, []).get(id) ?? [];

  function follow(task: Promise<void>): void {
    const followed = task.catch(() => undefined).then(() => void tasks.delete(followed));
    tasks.add(followed);
  }

  function event(
    topic: string,
    phone: SimulatedIphone,
    more: Readonly<Record<string, unknown>>,
    at = now(),
  ): FakeEvent {
    const subject = {
      ...(phone.enrollmentId === undefined ? { udid: phone.udid } : { enrollment_id: phone.enrollmentId }),
      ...(kind === "nanomdm" && {
        ids: { id: idOf(phone), type: phone.enrollmentId === undefined ? "Device" : "User Enrollment (Device)" },
      }),
      url_params: phone.urlParameters ?? null,
      ...more,
    };
    const body = JSON.stringify({
      topic,
      event_id: randomUUID(),
      // Go writes nine digits.
      created_at: at.toISOString().replace("Z", "123456Z"),
      [topic === "mdm.Connect" ? "acknowledge_event" : "checkin_event"]: subject,
    });
    const signature = hmacKey === undefined ? undefined : createHmac("sha256", hmacKey).update(body).digest("base64");
    return {
      body,
      headers: new Map([
        ["content-type", "application/json; charset=utf-8"],
        ...(signature === undefined ? [] : [["x-hmac-signature", signature] as const]),
      ]),
    };
  }

  function send(sent: FakeEvent): void {
    events.push(sent);
    if (toLose > 0) {
      toLose -= 1;
      return;
    }
    if (webhookUrl !== undefined) follow(deliver(webhookUrl, sent, options.webhookDelayMs?.(events.length) ?? 0));
  }

  async function deliver(url: string, { body, headers }: FakeEvent, delayMs: number): Promise<void> {
    await setTimeout(delayMs);
    const answer = await fetch(url, { method: "POST", body, headers: Object.fromEntries(headers) });
    answers.push(answer.status);
    await answer.arrayBuffer();
  }

  function connectEvent(
    phone: SimulatedIphone,
    commandId: string | undefined,
    status: string,
    plist: string,
    at = now(),
  ): FakeEvent {
    const raw = Buffer.from(plist).toString("base64");
    said.push(plist);
    return event(
      "mdm.Connect",
      phone,
      { status, ...(commandId !== undefined && { command_uuid: commandId }), raw_payload: raw },
      at,
    );
  }

  /** One connection of a phone: it says that it is there, and works on commands until there is none. */
  async function session(id: string): Promise<void> {
    const phone = phones.get(id);
    if (phone === undefined) return;
    for (const each of queueOf(id)) each.isPostponed = false;
    const idle = await answerOf(phone, undefined);
    send(connectEvent(phone, undefined, idle.status, idle.plist));
    for (;;) {
      const next = queueOf(id).find(({ isAnswered, isPostponed }) => !isAnswered && !isPostponed);
      if (next === undefined) return;
      const { status, plist } = await answerOf(phone, next.command);
      if (status === "NotNow") next.isPostponed = true;
      else if (toRepeat > 0) toRepeat -= 1;
      else next.isAnswered = true;
      send(connectEvent(phone, next.command.uuid, status, plist));
    }
  }

  function contact(id: string): Promise<void> {
    const after = (sessions.get(id) ?? Promise.resolve()).then(() => session(id));
    sessions.set(id, after);
    follow(after);
    return after;
  }

  function push(id: string): { push_result?: string; push_error?: string } | undefined {
    if (!phones.has(id)) return undefined;
    if (pushesFail) return { push_error: "Unregistered" };
    void contact(id);
    return { push_result: randomUUID() };
  }

  function enqueue(id: string, body: Buffer): string | undefined {
    const command = readCommand(body.toString("utf8"));
    if (command === undefined) return "malformed";
    if (kind === "nanomdm" && !phones.has(id))
      return "Error 1452 (23000): Cannot add or update a child row: a foreign key constraint fails";
    if ([...queues.values()].flat().some((each) => each.command.uuid === command.uuid)) return "command already exists";
    queueOf(id).push({ command, isAnswered: false, isPostponed: false });
    return undefined;
  }

  function nanomdm({ method, path, query, body }: FakeRequest): FakeAnswer | undefined {
    const [, version, verb, id = ""] = path.split("/");
    if (version !== "v1") return undefined;
    if (verb === "push") {
      const pushed = push(id);
      const isWell = pushed?.push_result !== undefined;
      return { httpStatus: isWell ? 200 : 500, body: { status: pushed === undefined ? {} : { [id]: pushed } } };
    }
    if (verb !== "enqueue" || method !== "PUT") return undefined;
    const problem = enqueue(id, body);
    if (problem === "malformed") return { httpStatus: 400, body: Buffer.from("Bad Request\n") };
    const command = readCommand(body.toString("utf8"));
    const about = { command_uuid: command?.uuid, request_type: command?.requestType };
    if (problem !== undefined) return { httpStatus: 500, body: { command_error: problem, ...about } };
    if (query.has("nopush")) return { body: { no_push: true, ...about } };
    const pushed = push(id);
    return { httpStatus: pushed?.push_result === undefined ? 500 : 200, body: { status: { [id]: pushed }, ...about } };
  }

  function micromdm({ method, path, body }: FakeRequest): FakeAnswer | undefined {
    const [, first, second, third = ""] = path.split("/");
    if (first === "push" && second !== undefined) {
      const pushed = push(second);
      if (pushed === undefined) return { httpStatus: 404, body: { error: "not found" } };
      return pushed.push_error === undefined
        ? { body: { status: "success" } }
        : { httpStatus: 500, body: { error: pushed.push_error } };
    }
    if (first !== "v1" || second !== "commands") return undefined;
    if (method === "GET") return { body: {} };
    if (method !== "POST") return undefined;
    const problem = enqueue(third, body);
    if (problem !== undefined) return { httpStatus: 500, body: { error: problem } };
    push(third);
    return { httpStatus: 201, body: { payload: {} } };
  }

  const server = await startFakeSource((request) => {
    if (request.headers.authorization !== credential)
      return { httpStatus: 401, headers: { "www-authenticate": `Basic realm="${kind}"` } };
    return kind === "nanomdm" ? nanomdm(request) : micromdm(request);
  });

  function knows(phone: SimulatedIphone): void {
    phones.set(idOf(phone), phone);
  }

  return {
    sendTo: (url) => void (webhookUrl = url),
    server,
    apiUrl: kind === "nanomdm" ? `${server.url}/v1` : server.url,
    phones,
    events,
    said: () => said,
    answers,
    knows,
    enrol(phone) {
      knows(phone);
      queues.delete(idOf(phone));
      const plist = `<plist version="1.0"><dict><key>UDID</key><string>${phone.udid}</string></dict></plist>`;
      const raw = Buffer.from(plist).toString("base64");
      send(event("mdm.Authenticate", phone, { raw_payload: raw }));
      send(event("mdm.TokenUpdate", phone, { raw_payload: raw, ...(kind === "nanomdm" && { token_update_tally: 1 }) }));
    },
    checkOut(id) {
      const phone = phones.get(id);
      if (phone === undefined) throw new Error("no such phone");
      phones.delete(id);
      send(event("mdm.CheckOut", phone, { raw_payload: "" }));
    },
    contact,
    repeatAnswers: (count) => void (toRepeat = count),
    loseWebhooks: (count) => void (toLose = count),
    failPushes: (fails) => void (pushesFail = fails),
    commandsOf: (id) => queueOf(id).map(({ command }) => command),
    async settled() {
      while (tasks.size > 0) await Promise.all(tasks);
    },
    event,
    connectEvent,
    async close() {
      await server.close();
      await Promise.allSettled(tasks);
    },
  };
}
