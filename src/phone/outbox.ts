/** SendMail and SmartReply: a message waits in the outbox until the server has said that it took it. */
import { randomBytes } from "node:crypto";
import { element, text } from "../activesync/document.ts";
import { composeMail } from "./mime.ts";
import type { Exchange } from "./exchange.ts";
import type { Outcome, Trouble } from "./outcome.ts";
import type { OutgoingMessage } from "./state.ts";

export interface NewMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** The message that is answered. */
export interface Answered {
  readonly folder: string;
  readonly id: string;
}

export interface Sent {
  readonly sent: number;
}

export function queueMail(
  exchange: Exchange,
  mail: NewMail,
  from: string,
  now: Date,
  answers: Answered | null = null,
): OutgoingMessage {
  // Composed once for its refusals: what cannot be sent must not enter the outbox.
  composeMail({ ...mail, from, date: now });
  const message = {
    // At most 40 characters (MS-ASCMD 2.2.3.30.4): the server knows by it what it has sent already.
    clientId: randomBytes(16).toString("hex"),
    ...mail,
    answers,
    queuedAt: now.toISOString(),
    attempts: 0,
  };
  exchange.state.outbox.push(message);
  return message;
}

/** Stops at the first message that the server does not take, as Android does: the next would fare no better. */
export async function flushOutbox(exchange: Exchange, from: string): Promise<Outcome<Sent>> {
  let sent = 0;
  for (const message of exchange.state.outbox) {
    // Another run may have handed it over meanwhile.
    if (!exchange.state.outbox.includes(message)) continue;
    message.attempts += 1;
    const trouble = await sendMail(exchange, message, from);
    if (trouble !== undefined) return trouble;
    exchange.state.outbox = exchange.state.outbox.filter((other) => other !== message);
    sent += 1;
  }
  return { kind: "ok", sent };
}

/** Only an empty 200 is success (MS-ASCMD 2.2.1.17): whatever else comes, the message stays. */
async function sendMail(exchange: Exchange, message: OutgoingMessage, from: string): Promise<Trouble | undefined> {
  const mime = composeMail({ ...message, from, date: new Date(message.queuedAt) });
  const command = message.answers === null ? "SendMail" : "SmartReply";
  const source = message.answers === null ? {} : { CollectionId: message.answers.folder, ItemId: message.answers.id };
  const answer = await exchange.ask({
    command,
    ...(exchange.dialect().composeMail
      ? { body: composeDocument(command, message, mime) }
      : { body: undefined, message: mime, parameters: { saveInSent: true, ...source } }),
    read: (root) => Number(text(root, "ComposeMail:Status") ?? "0"),
  });
  if (answer.kind === "empty") return undefined;
  if (answer.kind !== "answer") return answer;
  return { kind: "command-status", command, commandStatus: answer.value };
}

function composeDocument(command: "SendMail" | "SmartReply", { clientId, answers }: OutgoingMessage, mime: Buffer) {
  return element(
    `ComposeMail:${command}`,
    element("ComposeMail:ClientId", clientId),
    answers === null
      ? undefined
      : element(
          "ComposeMail:Source",
          element("ComposeMail:FolderId", answers.folder),
          element("ComposeMail:ItemId", answers.id),
        ),
    element("ComposeMail:SaveInSentItems"),
    element("ComposeMail:Mime", mime),
  );
}
