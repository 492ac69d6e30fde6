/**
 * A gate as a process of its own whose clock a test sets: started with the name of a configuration file, it says its addresses,
 * and takes `{ offsetMs }` to move its clock. Run by `node`, never imported.
 */
import { startApp } from "../../src/app.ts";
import { formatFaults } from "../../src/config/fault.ts";
import { loadConfig } from "../../src/config/load.ts";
import { createLog } from "../../src/telemetry/log.ts";

const [, , file = "", logFile = ""] = process.argv;
let offsetMs = 0;
const loaded = loadConfig({ file, env: {}, flags: { "mail.listen": "127.0.0.1:0", "admin.listen": "127.0.0.1:0" } });
if (!loaded.ok) throw new Error(formatFaults(loaded.faults));
const app = await startApp(loaded.config, {
  log: createLog({ level: "info", destination: logFile }),
  secret: new Uint8Array(32).fill(7),
  now: () => new Date(Date.now() + offsetMs),
});
process.on("message", (message: unknown) => {
  if (typeof message !== "object" || message === null || !("offsetMs" in message)) return;
  if (typeof message.offsetMs === "number") offsetMs = message.offsetMs;
  process.send?.({ offsetMs });
});
process.once("disconnect", () => void app.stop(0).then(() => process.exit(0)));
process.send?.({ mail: app.mail.url, admin: app.admin.url });
