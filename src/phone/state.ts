/** Everything that a phone remembers, as plain data: it can lie in a file and be given to the next phone. */
import { z } from "zod";
import { protocolVersions } from "./dialect.ts";
import { PhoneError } from "./errors.ts";

const address = z.object({ name: z.string(), address: z.string() });

const item = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("message"),
    id: z.string(),
    subject: z.string(),
    from: address,
    to: z.string(),
    /** ISO 8601, or empty where the server gave none. */
    date: z.string(),
    read: z.boolean(),
    /** As far as the server has sent it. */
    text: z.string(),
    truncated: z.boolean(),
  }),
  z.object({
    kind: z.literal("event"),
    id: z.string(),
    subject: z.string(),
    start: z.string(),
    end: z.string(),
    location: z.string(),
  }),
  z.object({ kind: z.literal("contact"), id: z.string(), name: z.string(), email: z.string() }),
  z.object({ kind: z.literal("other"), id: z.string(), title: z.string() }),
]);
export type Item = z.infer<typeof item>;
export type MessageItem = Extract<Item, { kind: "message" }>;

const folder = z.object({
  id: z.string(),
  parent: z.string(),
  name: z.string(),
  /** MS-ASCMD 2.2.3.186.3. */
  type: z.number(),
  syncKey: z.string(),
  items: z.array(item),
  /** How often the server has sent the phone back to key 0 here. */
  resets: z.number(),
});
export type FolderState = z.infer<typeof folder>;

const newEvent = z.object({
  subject: z.string(),
  /** ISO 8601. */
  start: z.string(),
  end: z.string(),
  location: z.string(),
});
export type NewEvent = z.infer<typeof newEvent>;

const newContact = z.object({ firstName: z.string(), lastName: z.string(), email: z.string() });
export type NewContact = z.infer<typeof newContact>;

const newTask = z.object({ subject: z.string() });
export type NewTask = z.infer<typeof newTask>;

const newNote = z.object({ subject: z.string(), text: z.string() });
export type NewNote = z.infer<typeof newNote>;

const newDraft = z.object({ to: z.string(), subject: z.string(), text: z.string() });
export type NewDraft = z.infer<typeof newDraft>;

/** What was done on the phone and the server has not acknowledged yet. */
const pending = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("add-event"), folder: z.string(), clientId: z.string(), event: newEvent }),
  z.object({ kind: z.literal("add-contact"), folder: z.string(), clientId: z.string(), contact: newContact }),
  z.object({ kind: z.literal("add-task"), folder: z.string(), clientId: z.string(), task: newTask }),
  z.object({ kind: z.literal("add-note"), folder: z.string(), clientId: z.string(), note: newNote }),
  z.object({ kind: z.literal("add-draft"), folder: z.string(), clientId: z.string(), draft: newDraft }),
  z.object({ kind: z.literal("change-event"), folder: z.string(), item: z.string(), event: newEvent }),
  z.object({ kind: z.literal("read"), folder: z.string(), item: z.string(), read: z.boolean() }),
  z.object({ kind: z.literal("delete"), folder: z.string(), item: z.string() }),
]);
export type Pending = z.infer<typeof pending>;

const outgoing = z.object({
  clientId: z.string(),
  to: z.string(),
  subject: z.string(),
  text: z.string(),
  /** The message that this one answers; the server adds its words. Missing in states of older phones. */
  answers: z.object({ folder: z.string(), id: z.string() }).nullable().default(null),
  queuedAt: z.string(),
  attempts: z.number(),
});
export type OutgoingMessage = z.infer<typeof outgoing>;

/** Something that was written on the phone and is gone without having reached the server. */
const loss = z.object({ what: z.string(), why: z.string() });
export type Loss = z.infer<typeof loss>;

const phoneState = z.object({
  format: z.literal(1),
  user: z.string(),
  deviceId: z.string(),
  /** Chosen after OPTIONS, where the phone was not told which version to speak. */
  version: z.enum(protocolVersions).nullable(),
  provisioned: z.boolean(),
  policyKey: z.string(),
  folderKey: z.string(),
  /** The server has said that the list of folders has changed. */
  foldersStale: z.boolean(),
  folders: z.array(folder),
  pending: z.array(pending),
  outbox: z.array(outgoing),
  /** The last Ping that the server has accepted in full. */
  ping: z.object({ seconds: z.number(), folders: z.array(z.string()) }).nullable(),
  /** What the server wants to grant at most: learnt from its answers. */
  pingLimits: z.object({
    minSeconds: z.number().nullable(),
    maxSeconds: z.number().nullable(),
    folders: z.number().nullable(),
  }),
  cookies: z.record(z.string(), z.string()),
  losses: z.array(loss),
});
export type PhoneState = z.infer<typeof phoneState>;

export function emptyState(user: string, deviceId: string): PhoneState {
  return {
    format: 1,
    user,
    deviceId,
    version: null,
    provisioned: false,
    policyKey: "0",
    folderKey: "0",
    foldersStale: false,
    folders: [],
    pending: [],
    outbox: [],
    ping: null,
    pingLimits: { minSeconds: null, maxSeconds: null, folders: null },
    cookies: {},
    losses: [],
  };
}

/** @throws PhoneError `state` */
export function parseState(value: unknown): PhoneState {
  const parsed = phoneState.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new PhoneError("state", `not the state of a phone: ${z.prettifyError(parsed.error)}`);
}
