/** ActiveSync as a way to a mailbox: who asks, and what a phone is told that is not let through. */
import { gunzipSync } from "node:zlib";
import type { Claim, MailRequest, Protocol, Remediation, Reply, UpstreamAnswer } from "../gateway/protocol.ts";
import { Refusal } from "../gateway/errors.ts";
import { allHeld } from "../policy/held-folders.ts";
import type { HeldFolders } from "../policy/held-folders.ts";
import { samePerson } from "../policy/person.ts";
import type { Person } from "../policy/person.ts";
import { createAttending } from "./attending.ts";
import { createBodyScan } from "./body-scan.ts";
import { learnFolders } from "./folders.ts";
import { createGatewayKeys } from "./gateway-key.ts";
import { createInterrupt } from "./interrupt.ts";
import { createLoopGuard } from "./loop-guard.ts";
import { completePing, createNudges, readPing, samePing } from "./ping.ts";
import type { Command } from "./commands.ts";
import { createQuarantine } from "./quarantine.ts";
import { activeSyncProbe } from "./probe.ts";
import { parseQuery } from "./query.ts";
import type { ActiveSyncQuery } from "./query.ts";
import { answeringWbxml } from "./request-body.ts";
import { decode } from "./wbxml.ts";
import { localeOf } from "./locale.ts";

export interface ActiveSyncOptions {
  /** Signs gateway keys: the same on every node, kept for as long as phones may hold keys. */
  readonly secret: Uint8Array;
  /** Larger bodies of a remediated request are refused; sent mail is read past this and dropped. */
  readonly bodyLimitBytes: number;
  /** What becomes of folders without mail in quarantine. Everything is held unless told otherwise. */
  readonly heldFolders?: HeldFolders;
}

export function createActiveSync({ secret, bodyLimitBytes, heldFolders = allHeld }: ActiveSyncOptions): Protocol {
  const keys = createGatewayKeys(secret, "sync-key");
  const nudges = createNudges();
  const guarded = createLoopGuard();
  const quarantine = createQuarantine({ keys, nudges, bodyLimitBytes, heldFolders });
  const attend = createAttending({ shadowKeys: createGatewayKeys(secret, "shadow-key"), nudges, bodyLimitBytes });

  function identify(request: MailRequest): Claim {
    if (request.method === "OPTIONS") return announcing(request);
    const query = parseQuery(request.query, request.headers);
    const person = personOf(request, query);
    return {
      subject: { kind: "device", candidates: query.deviceIds, person, locale: localeOf(query.lcid, request.headers) },
      command: query.command,
      asked: { queryForm: query.form, version: query.version, deviceType: query.deviceType },
      forwardQuery: query.canonical,
      mayPark: query.command === "Ping" || query.command === "Sync",
      async remediate(context: Remediation): Promise<Reply> {
        const answer = context.decision.attended ? attend : quarantine;
        return answeringWbxml(() => guarded(answer)(query, person, context));
      },
      scan: () => createBodyScan(query.command, request.headers.get("content-type"), query.itemId),
      learn: createLearn(query.command),
      interrupt:
        query.command === "Ping" || query.command === "Sync" ? createInterrupt(query, nudges, heldFolders) : undefined,
    };
  }

  return { name: "activesync", identify, probe: activeSyncProbe };
}

/** OPTIONS names no device and carries no mail. Its query, which some clients send, goes nowhere. */
function announcing(request: MailRequest): Claim {
  return {
    subject: { kind: "nobody" },
    command: "OPTIONS",
    forwardQuery: undefined,
    mayPark: false,
    remediate: () => Promise.reject(new Error(`OPTIONS is never remediated (${request.id})`)),
  };
}

/** The identity is the credential. A user in the query must be the same person, or two programs act for two people. */
function personOf(request: MailRequest, { user }: ActiveSyncQuery): Person | undefined {
  const { person } = request.credential;
  if (user !== undefined && person !== undefined && !samePerson(user, person)) {
    throw new Refusal("identity-ambiguous", 400, "user of the query is not the user of the credential");
  }
  return person;
}

/** As much as is kept of an answer that passes packed: a list of 2 000 folders has some 200 KiB. */
const unpackedLimitBytes = 1_048_576;

/** Mail servers pack an answer for a client that takes it packed. Undefined for a coding that they do not use. */
function unpacked({ headers, body }: UpstreamAnswer): Uint8Array | undefined {
  const coding = headers.get("content-encoding")?.join().toLowerCase() ?? "identity";
  if (coding === "identity") return body;
  return coding === "gzip" || coding === "x-gzip"
    ? gunzipSync(body, { maxOutputLength: unpackedLimitBytes })
    : undefined;
}

/** Which folders hold mail: a FolderSync says it of all, a Ping of those that the phone waits for. */
function createLearn(command: Command): Claim["learn"] {
  if (command === "FolderSync") {
    return (request, answer) => {
      if (answer?.httpStatus !== 200) return undefined;
      const document = unpacked(answer);
      const folders = document === undefined ? undefined : learnFolders(decode(request), decode(document));
      return folders === undefined ? undefined : { folders };
    };
  }
  if (command === "Ping") {
    return (request, _answer, mailbox) => {
      if (request.byteLength === 0) return undefined;
      const ping = completePing(readPing(decode(request)), mailbox.ping);
      return ping === undefined || samePing(ping, mailbox.ping) ? undefined : { ping };
    };
  }
  return undefined;
}
