/** A real groupware server: SOGo with ActiveSync, Dovecot, PostgreSQL, memcached and nginx, from Debian's packages. */
import { readFile } from "node:fs/promises";
import { element } from "../../../src/activesync/document.ts";
import { requirePackages } from "../../support/debian.ts";
import { prepareFolders, startDovecot } from "./dovecot.ts";
import { startNginx } from "./nginx.ts";
import { people, type Person, type PersonName } from "./people.ts";
import { startPostgres } from "./postgres.ts";
import { openScratch, type Scratch } from "./scratch.ts";
import { askRaw, basic } from "./raw-phone.ts";
import { seedMessages } from "./seed.ts";
import { startSmtp } from "./smtp.ts";
import { prepareSogod, startMemcached } from "./sogod.ts";

export interface SogoOptions {
  /** How many requests it works on at once. Every waiting Ping holds one, also after its phone has gone. */
  readonly workers?: number;
  /** How often a waiting Ping looks for news. SOGo never looks more often than every 5 seconds. */
  readonly pollSeconds?: number;
  readonly longestPingSeconds?: number;
}

export interface Sogo {
  /** nginx, as a browser or the gate sees it; no trailing slash. */
  readonly url: string;
  readonly activesyncUrl: string;
  readonly webmailUrl: string;
  /** The same server over TLS, and the file that vouches for its certificate. */
  readonly tlsUrl: string;
  readonly certificateFile: string;
  readonly certificateKeyFile: string;
  /** SOGo without nginx. */
  readonly directUrl: string;
  /** Everything works in here; it is gone after stop(). */
  readonly directory: string;
  readonly users: Readonly<Record<PersonName, Person>>;
  /** Puts a whole message into a person's Inbox. `letter` makes one. */
  deliver(to: PersonName, message: string | Uint8Array): Promise<void>;
  createFolder(owner: PersonName, name: string): Promise<void>;
  /** How many messages in a folder of Dovecot's have this subject, whatever SOGo says. */
  countMail(owner: PersonName, folder: string, subject: string): Promise<number>;
  /** What the calendar of a person holds, as another kind of client sees it: over DAV, and not through any gate. */
  calendar(owner: PersonName): Promise<string[]>;
  /** SOGo itself ends, as when it is updated: nginx is left, and has nobody to ask. */
  stopSogod(): Promise<void>;
  startSogod(): Promise<void>;
  /** What SOGo saw and said: every ActiveSync request and answer as XML, among its other lines. */
  log(): Promise<string>;
  /** What nginx was asked for, one line each. */
  accessLog(): Promise<string>;
  stop(): Promise<void>;
}

const needs = [
  { packageName: "sogo", file: "sogod" },
  { packageName: "sogo-activesync", file: "/usr/lib/GNUstep/SOGo/ActiveSync.SOGo" },
  { packageName: "dovecot-imapd", file: "/usr/lib/dovecot/imap" },
  { packageName: "postgresql", file: "/usr/lib/postgresql/*/bin/initdb" },
  { packageName: "memcached", file: "memcached" },
  { packageName: "msmtp-mta", file: "msmtpd" },
  { packageName: "nginx-light", file: "nginx" },
  { packageName: "openssl", file: "openssl" },
];

/** @throws with the one command that helps, where a package is missing and cannot be installed. */
export async function startSogo(options: SogoOptions = {}): Promise<Sogo> {
  await requirePackages(needs);
  if (process.getuid?.() !== 0) {
    throw new Error("a real mail server starts its daemons under their own users; run: sudo npm run test:real");
  }
  const scratch = await openScratch("sogo");
  try {
    return await startDaemons(scratch, options);
  } catch (error) {
    await scratch.close();
    throw error;
  }
}

async function startDaemons(
  scratch: Scratch,
  { workers = 8, pollSeconds = 5, longestPingSeconds = 3540 }: SogoOptions,
): Promise<Sogo> {
  // PostgreSQL is what all wait for, so the mailboxes are filled meanwhile.
  const [database, memcachedPort, { mailboxes, smtpPort }] = await Promise.all([
    startPostgres(scratch),
    startMemcached(scratch),
    startMailboxes(scratch),
  ]);
  const { imapPort } = mailboxes;
  const waiting = { workers, pollSeconds, longestPingSeconds };
  const sogod = await prepareSogod(scratch, { database, memcachedPort, imapPort, smtpPort, ...waiting });
  await sogod.start();
  const front = await startNginx(scratch, sogod.port);
  for (const person of Object.values(people)) await openMailbox(front.url, person);

  return {
    url: front.url,
    activesyncUrl: `${front.url}/Microsoft-Server-ActiveSync`,
    webmailUrl: `${front.url}/SOGo/`,
    tlsUrl: front.tlsUrl,
    certificateFile: front.certificateFile,
    certificateKeyFile: front.certificateKeyFile,
    directUrl: `http://127.0.0.1:${sogod.port}`,
    directory: scratch.directory,
    users: people,
    deliver: (to, message) => mailboxes.deliver(to, message),
    createFolder: (owner, name) => mailboxes.createFolder(owner, name),
    countMail: (owner, folder, subject) => mailboxes.count(owner, folder, subject),
    async calendar(owner) {
      const { name } = people[owner];
      const answer = await fetch(`${front.url}/SOGo/dav/${name}/Calendar/personal.ics`, {
        headers: { authorization: basic(people[owner]) },
      });
      if (answer.status !== 200) throw new Error(`SOGo answers ${answer.status} to a look into the calendar`);
      return [...(await answer.text()).matchAll(/^SUMMARY[^:]*:(.*?)\r?$/gm)].map(([, summary = ""]) => summary);
    },
    stopSogod: () => sogod.stop(),
    startSogod: () => sogod.start(),
    log: () => readFile(`${scratch.directory}/log/sogo.log`, "utf8"),
    accessLog: () => readFile(front.accessLogFile, "utf8"),
    stop: () => scratch.close(),
  };
}

async function startMailboxes(scratch: Scratch) {
  const mailboxes = await startDovecot(scratch);
  const smtp = startSmtp(scratch, mailboxes.configFile);
  const now = new Date();
  await Promise.all([
    prepareFolders(mailboxes.imapPort, "carol"),
    ...(["alice", "bob"] satisfies PersonName[]).map(async (person) => {
      await prepareFolders(mailboxes.imapPort, person);
      // One after the other: a phone lists them by number, which is the order in which they came.
      for (const message of seedMessages(person, now)) await mailboxes.deliver(person, message);
    }),
  ]);
  return { mailboxes, smtpPort: await smtp };
}

/**
 * The first request of a person makes that person's tables, and of several at once only one is answered: a SOGo that people
 * have used for years does not do that to a phone. The request is in the logs, as one of the device `FIRST`.
 */
async function openMailbox(url: string, person: Person): Promise<void> {
  const body = element("FolderHierarchy:FolderSync", element("FolderHierarchy:SyncKey", "0"));
  const answer = await askRaw(`${url}/Microsoft-Server-ActiveSync`, person, {
    command: "FolderSync",
    deviceId: "FIRST",
    body,
  });
  if (answer.httpStatus !== 200)
    throw new Error(`SOGo answers ${answer.httpStatus} to the first request of ${person.name}`);
}
