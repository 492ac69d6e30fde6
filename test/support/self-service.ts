/** A person who opens the link of a notice, and a page that follows what happens, at the level of HTTP. */
import assert from "node:assert/strict";
import http from "node:http";
import type { TestContext } from "node:test";
import { z } from "zod";
import type { Phone } from "../../src/phone/phone.ts";
import { eventually } from "./eventually.ts";
import { tiktokCampaign } from "./gate.ts";

/** The campaign of the tests, and the address by which the link is reached. */
export const withPages = `
mail: { publicUrl: "https://mail.corp.example" }
${tiktokCampaign}`;

const linkShape = /https:\/\/mail\.corp\.example(\/postern\/[A-Za-z0-9._-]+)/;

/** The notice, among whatever else is in the Inbox of this phone. */
export function noticeOn(phone: Phone): ReturnType<Phone["inbox"]>[number] {
  const message = phone.inbox().find(({ from }) => from.address === "it@corp.example");
  assert.ok(message !== undefined, "there is a notice");
  return message;
}

/** The path of the page, as the notice has it. */
export async function linkOn(phone: Phone): Promise<string> {
  const message = noticeOn(phone);
  const fetched = JSON.stringify(await phone.fetch(message));
  const path = linkShape.exec(fetched)?.[1];
  assert.ok(path !== undefined, "the message has a link");
  return path;
}

const eventShape = z.object({
  mark: z.string(),
  stage: z.string(),
  end: z.string().optional(),
  steps: z.array(z.string()),
});
export type Standing = z.output<typeof eventShape>;

export interface Following {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Every event so far. */
  readonly events: readonly Standing[];
  /** Everything so far, as it came. */
  readonly raw: () => string;
  /** Resolves with the event once one has come in which the phone stands so. */
  until(stage: string): Promise<Standing>;
  readonly ended: () => boolean;
  close(): void;
}

/** Opens the stream of a page. It ends with the test. */
export async function follow(t: TestContext, url: string, agent?: http.Agent): Promise<Following> {
  const events: Standing[] = [];
  let raw = "";
  let ended = false;
  const request = http.get(`${url}/events`, {
    agent: agent ?? new http.Agent(),
    headers: { Accept: "text/event-stream" },
  });
  t.after(() => request.destroy());
  const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
  });
  request.on("error", () => (ended = true));
  answer.on("error", () => (ended = true));
  answer.on("close", () => (ended = true));
  answer.setEncoding("utf8");
  answer.on("data", (text: string) => {
    raw += text;
    const whole = raw.split("\n\n").slice(0, -1);
    events.length = 0;
    for (const block of whole) {
      const data = /^event: standing\ndata: (.*)$/.exec(block)?.[1];
      if (data !== undefined) events.push(eventShape.parse(JSON.parse(data)));
    }
  });
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    events,
    raw: () => raw,
    until: (stage) =>
      eventually(() => {
        const found = events.find((event) => event.stage === stage);
        if (found === undefined) throw new Error(`${stage} has not come: ${JSON.stringify(events)}`);
        return found;
      }),
    ended: () => ended,
    close: () => void request.destroy(),
  };
}
