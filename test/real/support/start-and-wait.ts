/** A program that starts a real server, says where, and then waits to be killed. */
import { startSogo } from "./sogo.ts";

const sogo = await startSogo({ workers: 2 });
process.stdout.write(`${sogo.directory}\n`);
setInterval(() => undefined, 60_000);
