/** WebSockets, where a route asks for them. Every other change of protocol is refused before anything hears of it. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Accept, Arrive } from "./accept.ts";
import type { Decide } from "./decide.ts";
import { Refusal } from "./errors.ts";
import type { GatewaySteps } from "./gateway.ts";
import { refuseRaw } from "./listener.ts";
import { targetOf } from "./pass.ts";
import type { Proxy } from "./proxy.ts";
import type { Upstream } from "./upstream.ts";

export interface UpgradeOptions {
  readonly arrive: Arrive;
  readonly accept: Accept;
  readonly identify: GatewaySteps["identify"];
  readonly decide: Decide;
  readonly proxyOf: (upstream: Upstream) => Proxy;
  readonly onRefused: (code: string, req: IncomingMessage) => void;
}

export function createUpgrade({ arrive, accept, identify, decide, proxyOf, onRefused }: UpgradeOptions) {
  return async function upgrade(req: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    // Without a listener an error of the socket would end the program.
    socket.on("error", () => socket.destroy());
    try {
      const accepted = accept(arrive(req), req);
      // What came with a body, or already speaks the other protocol, was not asked for by a browser.
      if (accepted.upgrade === undefined || accepted.request.method !== "GET" || head.byteLength > 0) {
        throw new Refusal("upgrade-refused", 400, "no upgrade of a browser");
      }
      const claim = identify(accepted);
      // Nobody watches what goes over a WebSocket later, and nobody need: who opens one is judged by the configuration alone,
      // which does not change while the program runs. Devices, whose facts change, do not speak ActiveSync by GET.
      const { verdict } = await decide(claim.subject);
      if (verdict.action !== "allow") return refuseRaw(socket, 403);
      const { request, route } = accepted;
      const pinned = route.upstream.pinFor(socket, request.credential.scheme === "connection");
      proxyOf(route.upstream).upgrade(req, socket, head, {
        target: targetOf({ accepted, claim }),
        headers: request.headers,
        pinned,
        body: undefined,
      });
    } catch (error) {
      onRefused(error instanceof Refusal ? error.code : "unexpected", req);
      refuseRaw(socket, error instanceof Refusal ? error.httpStatus : 503);
    }
  };
}
