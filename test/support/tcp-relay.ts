/** A cable between client and server that a test can cut without either of them being told. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";

export interface TcpRelay {
  readonly port: number;
  /** From now on nothing passes on the connections whose client has sent this text; new connections work. */
  silence(sent: string): number;
  /** New connections lead there. */
  redirect(target: { readonly port: number }): void;
  close(): Promise<void>;
}

interface Cable {
  sent: string;
  readonly ends: readonly [Socket, Socket];
}

export async function startTcpRelay(first: { readonly port: number }): Promise<TcpRelay> {
  const cables = new Set<Cable>();
  let target = first;
  const server = createServer((client) => {
    const upstream = connect(target.port, "127.0.0.1");
    const cable: Cable = { sent: "", ends: [client, upstream] };
    cables.add(cable);
    client.on("data", (chunk: Buffer) => (cable.sent += chunk.toString("latin1")));
    client.pipe(upstream);
    upstream.pipe(client);
    for (const end of cable.ends) {
      end.on("error", () => {});
      end.on("close", () => {
        for (const each of cable.ends) each.destroy();
        cables.delete(cable);
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");

  return {
    port: address.port,
    silence(sent): number {
      const chosen = [...cables].filter((cable) => cable.sent.toLowerCase().includes(sent.toLowerCase()));
      for (const { ends } of chosen) {
        for (const end of ends) {
          end.unpipe();
          end.pause();
        }
      }
      return chosen.length;
    },
    redirect(next): void {
      target = next;
    },
    async close(): Promise<void> {
      for (const { ends } of cables) for (const end of ends) end.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
