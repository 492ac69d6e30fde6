/** A mail server that holds every request, and a phone in front of it that is clean until a test says otherwise. */
import assert from "node:assert/strict";
import http from "node:http";
import type { ServerResponse } from "node:http";
import type { TestContext } from "node:test";
import { element } from "../../src/activesync/document.ts";
import { inbox } from "../support/activesync-documents.ts";
import { eventually } from "../support/eventually.ts";
import { aGate, clean } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { aServer } from "../support/http.ts";
import type { TestServer } from "../support/http.ts";
import { basic, target } from "./wire.ts";

export const lateMail = "MAIL THAT CAME AFTER THE VERDICT";
/** The promise is one second. */
export const promiseMs = 1000;

export interface Holding {
  readonly gate: Gate;
  readonly upstream: TestServer;
  readonly held: () => ServerResponse;
  /** Resolves when upstream has the request. */
  readonly whenHeld: () => Promise<void>;
}

export interface Download {
  readonly received: () => number;
  readonly ended: Promise<"whole" | "cut">;
  pause(): void;
  resume(): void;
}

/** A phone that counts what comes, until it has all or the connection breaks. */
export function downloading(gate: Gate): Download {
  let received = 0;
  let incoming: http.IncomingMessage | undefined;
  const ended = new Promise<"whole" | "cut">((resolve) => {
    const request = http.request(
      gate.url + target("ItemOperations"),
      { method: "POST", headers: { Authorization: basic(), "MS-ASProtocolVersion": "14.1" } },
      (answer) => {
        incoming = answer;
        answer.on("data", (chunk: Buffer) => {
          received += chunk.byteLength;
        });
        answer.on("end", () => resolve("whole"));
        answer.on("error", () => resolve("cut"));
      },
    );
    request.on("error", () => resolve("cut"));
    request.end();
  });
  return {
    received: () => received,
    ended,
    pause: () => void incoming?.pause(),
    resume: () => void incoming?.resume(),
  };
}

/** A gate in front of a server that holds whatever is no OPTIONS, and a phone that is clean so far. */
export async function holding(t: TestContext): Promise<Holding> {
  let held: ServerResponse | undefined;
  const upstream = await aServer(t, (req, res) => {
    req.resume();
    if (req.method === "OPTIONS") res.end();
    else held = res;
  });
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("PHONEA", clean);
  return {
    gate,
    upstream,
    held(): ServerResponse {
      if (held === undefined) throw new Error("nothing is held");
      return held;
    },
    whenHeld: () => eventually(() => assert.ok(held !== undefined)),
  };
}

const options = [element("AirSync:MIMESupport", "2")];
export const inInbox = { key: "{00000000-0000-4000-8000-000000000000}5", id: inbox, options };
