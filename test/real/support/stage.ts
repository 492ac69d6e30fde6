/** Everything that the story plays on: a real server, the gate in front of it, and the people with their phones. */
import assert from "node:assert/strict";
import type { ProtocolVersion } from "../../../src/phone/dialect.ts";
import { createPhone, type Phone } from "../../../src/phone/phone.ts";
import { eventually } from "../../support/eventually.ts";
import { type Gate, startGate } from "./gate.ts";
import { people, type PersonName } from "./people.ts";
import { letter } from "./seed.ts";
import { type Sogo, startSogo } from "./sogo.ts";

export interface PhoneWish {
  readonly owner: PersonName;
  readonly deviceId: string;
  readonly protocolVersion: ProtocolVersion;
  readonly deviceType?: string;
  readonly userAgent?: string;
  readonly queryForm?: "plain" | "base64";
  readonly password?: string;
  /** Instead of the gate: a load balancer before several of them. */
  readonly url?: string;
}

export interface StageWish {
  /** As many as requests wait at once, those that were given up included, and some to work. */
  readonly workers?: number;
  /** YAML that is put at the end of the gate's configuration. */
  readonly moreConfig?: string;
}

export interface Stage {
  readonly sogo: Sogo;
  readonly gate: Gate;
  /** A phone that knows the gate only. */
  phone(wish: PhoneWish): Phone;
  /** What an operator or a script of theirs types: nothing else tells the gate about a device. */
  report(deviceId: string, compliance: "compliant" | "noncompliant", reasons?: string): Promise<void>;
  /** What a connector writes: facts, of which the campaigns make a verdict. */
  reportFacts(deviceId: string, facts: Readonly<Record<string, string>>): Promise<void>;
  deliver(to: PersonName, subject: string): Promise<void>;
  /** Starts a Ping, and returns when the mail server holds it. */
  parkedPing(phone: Phone, seconds: number): Promise<ReturnType<Phone["ping"]>[]>;
  end(): Promise<void>;
}

export async function setStage({ workers = 12, moreConfig = "" }: StageWish = {}): Promise<Stage> {
  const sogo = await startSogo({ workers });
  const phones: Phone[] = [];
  let gate: Gate;
  try {
    gate = await startGate({ upstreamUrl: sogo.url, moreConfig });
  } catch (error) {
    await sogo.stop();
    throw error;
  }

  /** A heartbeat of its own tells one phone's Ping from the others' in the server's log. */
  async function pingsAtServer(seconds: number): Promise<number> {
    const log = await sogo.log();
    return log.split(new RegExp(`<HeartbeatInterval>${seconds}</HeartbeatInterval>`)).length;
  }

  return {
    sogo,
    gate,
    phone({ owner, ...wish }) {
      const { name: user, address, password } = people[owner];
      // In full, because a Ping that leaves out what the server remembers is not to be found in its log.
      const ordinary = { url: gate.mailUrl, user, address, password, pingInFull: true };
      const phone = createPhone({ ...ordinary, ...wish });
      phones.push(phone);
      return phone;
    },
    async report(deviceId, compliance, reasons) {
      const fields = ["compliance", compliance, ...(reasons === undefined ? [] : ["reasons", reasons])];
      await gate.redis.cli("HSET", `postern:device:${deviceId}`, ...fields);
    },
    async reportFacts(deviceId, facts) {
      await gate.redis.cli("HSET", `postern:device:${deviceId}`, ...Object.entries(facts).flat());
    },
    deliver: (to, subject) => sogo.deliver(to, letter({ to, subject, text: `${subject}.` })),
    // In a list, because a promise that is returned would be waited for.
    async parkedPing(phone, seconds) {
      // SOGo moves its keys once more after a Sync that brought something, and would answer at once.
      succeeded(await phone.refresh());
      const before = await pingsAtServer(seconds);
      const waiting = phone.ping(seconds);
      await eventually(
        async () => assert.ok((await pingsAtServer(seconds)) > before, "the server has the Ping"),
        20_000,
      );
      return [waiting];
    },
    async end() {
      for (const phone of phones) phone.close();
      await gate.stop();
      await sogo.stop();
    },
  };
}

export function succeeded(outcome: { readonly kind: string }): void {
  assert.equal(outcome.kind, "ok", JSON.stringify(outcome));
}

/** What is left of the phone's mail outside of the Inbox. */
export function otherMail(phone: Phone): number {
  const folders = phone.folders().filter((folder) => folder.class === "Email" && folder.type !== INBOX_TYPE);
  return folders.reduce((sum, folder) => sum + folder.items, 0);
}

export function inboxFolder(phone: Phone) {
  const inbox = phone.folders().find((folder) => folder.type === INBOX_TYPE);
  assert.ok(inbox, "the phone has an Inbox");
  return inbox;
}

export function subjects(phone: Phone): string[] {
  return phone.inbox().map((message) => message.subject);
}

// MS-ASCMD 2.2.3.186.3.
const INBOX_TYPE = 2;
