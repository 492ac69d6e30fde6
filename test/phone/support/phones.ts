/** Phones for tests: ready to be used, with folders and keys as if they had been synchronised before. */
import type { TestContext } from "node:test";
import { children, child, text } from "../../../src/activesync/document.ts";
import { PhoneError } from "../../../src/phone/errors.ts";
import { createPhone, type Phone, type PhoneOptions } from "../../../src/phone/phone.ts";
import { emptyState, type PhoneState } from "../../../src/phone/state.ts";
import { startServer, type Received, type Script, type ScriptedServer } from "./scripted-server.ts";

export const deviceId = "PHONE01";
export const user = "alice@postern.test";
type Extras = Partial<Omit<PhoneOptions, "password" | "token">>;

export interface Scene {
  readonly phone: Phone;
  readonly server: ScriptedServer;
}

/** A phone fresh from its box. */
export async function newPhone(t: TestContext, script: Script, extras: Extras = {}): Promise<Scene> {
  const server = await startServer(t, script);
  return { server, phone: phoneFor(t, server.url, extras) };
}

/** A phone with an inbox, a calendar and contacts, all of them synchronised. */
export async function usedPhone(t: TestContext, script: Script, extras: Extras = {}): Promise<Scene> {
  return newPhone(t, script, { state: usedState(), ...extras });
}

export function phoneFor(t: TestContext, url: string, extras: Extras = {}): Phone {
  const phone = createPhone({ url, user, password: "secret", deviceId, protocolVersion: "14.1", ...extras });
  t.after(() => phone.close());
  return phone;
}

export function usedState(): PhoneState {
  return {
    ...emptyState(user, deviceId),
    provisioned: true,
    policyKey: "77",
    folderKey: "h1",
    folders: [
      {
        id: "inbox",
        parent: "0",
        name: "Inbox",
        type: 2,
        syncKey: "k1",
        resets: 0,
        items: [
          {
            kind: "message",
            id: "m1",
            subject: "Old news",
            from: { name: "Carol Clerk", address: "carol@postern.test" },
            to: user,
            date: "2026-11-20T09:00:00.000Z",
            read: false,
            text: "Nothing much.",
            truncated: false,
          },
        ],
      },
      { id: "calendar", parent: "0", name: "Calendar", type: 8, syncKey: "c1", resets: 0, items: [] },
      { id: "contacts", parent: "0", name: "Contacts", type: 9, syncKey: "p1", resets: 0, items: [] },
    ],
  };
}

export function subjects(phone: Phone): string[] {
  return phone.inbox().map((message) => message.subject);
}

/** `Sync k1 inbox` for each Sync, the name of the command for the others. */
export function asked({ received }: ScriptedServer): string[] {
  return received.map((request) => {
    const command = request.method === "OPTIONS" ? "OPTIONS" : (/^Cmd=(\w+)/u.exec(request.query)?.[1] ?? "?");
    return [command, ...collectionsOf(request)].join(" ");
  });
}

function collectionsOf({ root }: Received): string[] {
  if (root?.tag === "FolderHierarchy:FolderSync") return [text(root, "FolderHierarchy:SyncKey") ?? ""];
  const list = root?.tag === "AirSync:Sync" ? child(root, "AirSync:Collections") : undefined;
  return (list === undefined ? [] : children(list, "AirSync:Collection")).flatMap((collection) => [
    text(collection, "AirSync:SyncKey") ?? "",
    text(collection, "AirSync:CollectionId") ?? "",
  ]);
}

export function withCode(code: PhoneError["code"]): (error: unknown) => boolean {
  return (error) => error instanceof PhoneError && error.code === code;
}
