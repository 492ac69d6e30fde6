/** SOGo itself, and the memcached through which its workers share sessions. */
import { chown, mkdir } from "node:fs/promises";
import { eventually } from "../../support/eventually.ts";
import { accountOf } from "./accounts.ts";
import { DOMAIN } from "./people.ts";
import type { Database } from "./postgres.ts";
import { answers } from "./ports.ts";
import type { Daemon, Scratch } from "./scratch.ts";

export interface SogodOptions {
  readonly database: Database;
  readonly memcachedPort: number;
  readonly imapPort: number;
  readonly smtpPort: number;
  readonly workers: number;
  readonly pollSeconds: number;
  readonly longestPingSeconds: number;
}

/** @returns the port it listens on. */
export async function startMemcached(scratch: Scratch): Promise<number> {
  const port = await scratch.claimPort();
  await scratch.launch({
    name: "memcached",
    command: "memcached",
    args: ["-l", "127.0.0.1", "-p", String(port), "-U", "0", "-m", "32"],
    as: accountOf("memcache"),
    isReady: () => answers(port),
  });
  return port;
}

export interface Sogod {
  readonly port: number;
  start(): Promise<void>;
  /** Returns when nobody listens any more. */
  stop(): Promise<void>;
}

/** It would wait for its workers, and they for a request; without it they end by themselves. */
const STOP_PATIENCE_MS = 500;

export async function prepareSogod(scratch: Scratch, options: SogodOptions): Promise<Sogod> {
  const port = await scratch.claimPort();
  const as = accountOf("sogo");
  const directory = `${scratch.directory}/sogo`;
  for (const needed of [directory, `${directory}/spool`]) {
    await mkdir(needed, { mode: 0o750 });
    await chown(needed, as.uid, as.gid);
  }
  let daemon: Daemon | undefined;
  return {
    port,
    async start() {
      daemon = await scratch.launch({
        name: "sogod",
        command: "sogod",
        // Arguments win over /etc/sogo/sogo.conf, which is read all the same and not ours to change.
        args: Object.entries(settings(scratch.directory, port, options)).flatMap(([name, value]) => [
          `-${name}`,
          value,
        ]),
        as,
        directory,
        env: { HOME: directory },
        isReady: () => showsLoginPage(port),
      });
    },
    async stop() {
      await daemon?.end(STOP_PATIENCE_MS);
      daemon = undefined;
      await eventually(async () => {
        if (await answers(port)) throw new Error("a worker of sogod still listens");
      });
    },
  };
}

function settings(scratch: string, port: number, options: SogodOptions): Record<string, string> {
  const database = options.database.url;
  return {
    WONoDetach: "YES",
    WOPidFile: `${scratch}/sogo/sogo.pid`,
    WOLogFile: `${scratch}/log/sogo.log`,
    WOPort: `127.0.0.1:${port}`,
    WOWorkersCount: String(options.workers),
    // In minutes: longer than the longest Ping, or the watchdog ends a worker that only waits.
    WOWatchDogRequestTimeout: "60",
    SxVMemLimit: "1024",
    SOGoMemcachedHost: `127.0.0.1:${options.memcachedPort}`,
    SOGoProfileURL: `${database}/sogo_user_profile`,
    OCSFolderInfoURL: `${database}/sogo_folder_info`,
    OCSSessionsFolderURL: `${database}/sogo_sessions_folder`,
    OCSEMailAlarmsFolderURL: `${database}/sogo_alarms_folder`,
    OCSAdminURL: `${database}/sogo_admin`,
    SOGoUserSources: userSource(database),
    SOGoMailDomain: DOMAIN,
    SOGoIMAPServer: `imap://127.0.0.1:${options.imapPort}`,
    SOGoSieveScriptsEnabled: "NO",
    SOGoVacationEnabled: "NO",
    SOGoForwardEnabled: "NO",
    SOGoMailingMechanism: "smtp",
    SOGoSMTPServer: `smtp://127.0.0.1:${options.smtpPort}`,
    SOGoMailSpoolPath: `${scratch}/sogo/spool`,
    SOGoSentFolderName: "Sent",
    SOGoDraftsFolderName: "Drafts",
    SOGoTrashFolderName: "Trash",
    SOGoJunkFolderName: "Junk",
    SOGoLanguage: "English",
    SOGoTimeZone: "UTC",
    SOGoPageTitle: "Test mail",
    SOGoAppointmentSendEMailNotifications: "NO",
    SOGoEnableEMailAlarms: "NO",
    SOGoMaximumPingInterval: String(options.longestPingSeconds),
    SOGoMaximumSyncInterval: String(options.longestPingSeconds),
    SOGoInternalSyncInterval: String(options.pollSeconds),
    // Writes every request and answer of ActiveSync into the log, as XML.
    SOGoEASDebugEnabled: "YES",
  };
}

/** A property list in the old style, which is how SOGo takes structures on its command line. */
function userSource(database: string): string {
  const source = {
    type: "sql",
    id: "directory",
    viewURL: `"${database}/sogo_users"`,
    canAuthenticate: "YES",
    isAddressBook: "YES",
    displayName: '"Test people"',
    userPasswordAlgorithm: "plain",
    LoginFieldNames: "(c_uid, mail)",
  };
  const fields = Object.entries(source).map(([name, value]) => `${name} = ${value};`);
  return `({ ${fields.join(" ")} })`;
}

async function showsLoginPage(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/SOGo/`, { headers: { connection: "close" } });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
