/** A load balancer that knows no affinity: every request goes to the next of its servers. */
import http from "node:http";

export interface Balancer {
  readonly url: string;
  /** How many requests each of them has got. */
  counts(): readonly number[];
  close(): Promise<void>;
}

export async function startBalancer(targets: readonly string[]): Promise<Balancer> {
  const counts = targets.map(() => 0);
  let turn = 0;
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer((req, res) => {
    const index = turn++ % targets.length;
    counts[index] = (counts[index] ?? 0) + 1;
    const { method = "GET", url = "/", headers } = req;
    const outgoing = http.request(new URL(url, targets[index]), { method, headers, agent }, (incoming) => {
      res.writeHead(incoming.statusCode ?? 502, incoming.headers);
      incoming.pipe(res);
    });
    outgoing.on("error", () => res.destroy());
    res.on("close", () => outgoing.destroy());
    req.pipe(outgoing);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the balancer has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    counts: () => counts,
    async close() {
      agent.destroy();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
