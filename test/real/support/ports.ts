/** Ports for daemons that cannot be told to take any free one and say which. */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";

// Below the range from which the kernel takes ports for outgoing connections and for "any free port" (ip(7)), so that
// nobody gets a port between our looking and the daemon's listening.
const FIRST_PORT = 15_000;
const END_PORT = 32_000;

export interface PortClaim {
  readonly port: number;
  release(): void;
}

/**
 * A port that is free, and that no other test process of this machine will be given until it is released. The claim is a
 * socket without a file: the kernel takes it back when its holder dies.
 */
export async function claimPort(): Promise<PortClaim> {
  for (;;) {
    const port = randomInt(FIRST_PORT, END_PORT);
    const claim = await tryToListen({ path: `\0postern-port-${port}` });
    if (claim === undefined) continue;
    const trial = await tryToListen({ host: "127.0.0.1", port });
    if (trial === undefined) {
      claim.close();
      continue;
    }
    trial.close();
    await once(trial, "close");
    return { port, release: () => claim.close() };
  }
}

async function tryToListen(where: { path: string } | { host: string; port: number }): Promise<Server | undefined> {
  const server = createServer();
  server.unref();
  server.listen(where);
  try {
    await once(server, "listening");
    return server;
  } catch {
    return undefined;
  }
}

/** Whether anything takes connections on the port. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
