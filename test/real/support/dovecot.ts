/** Dovecot: the mailboxes themselves, over IMAP for SOGo, and the way in for new mail. */
import { chown, mkdir, writeFile } from "node:fs/promises";
import { accountOf } from "./accounts.ts";
import { DOMAIN, people, type PersonName } from "./people.ts";
import { imapCommands } from "./imap.ts";
import { answers } from "./ports.ts";
import type { Scratch } from "./scratch.ts";

export interface Mailboxes {
  readonly imapPort: number;
  readonly configFile: string;
  deliver(to: PersonName, message: string | Uint8Array): Promise<void>;
  createFolder(owner: PersonName, name: string): Promise<void>;
  /** How many messages in a folder have this subject. */
  count(owner: PersonName, folder: string, subject: string): Promise<number>;
}

export async function startDovecot(scratch: Scratch): Promise<Mailboxes> {
  const imapPort = await scratch.claimPort();
  const directory = `${scratch.directory}/dovecot`;
  const configFile = `${directory}/dovecot.conf`;
  // SOGo's user also owns the mailboxes: one less right to get wrong in a test.
  const as = accountOf("sogo");
  const home = `${scratch.directory}/mail`;
  await mkdir(directory);
  await mkdir(home, { mode: 0o700 });
  await chown(home, as.uid, as.gid);
  const users = Object.values(people).map(
    ({ name, password }) => `${name}:{PLAIN}${password}:${as.uid}:${as.gid}::${home}/${name}\n`,
  );
  await writeFile(`${directory}/users`, users.join(""), { mode: 0o640 });
  await chown(`${directory}/users`, 0, accountOf("dovecot").gid);
  await writeFile(configFile, configuration(scratch.directory, imapPort));
  // Written to by deliveries, which are not root.
  await writeFile(`${scratch.directory}/log/dovecot.log`, "", { flag: "a" });
  await chown(`${scratch.directory}/log/dovecot.log`, as.uid, as.gid);
  await scratch.launch({
    name: "dovecot",
    command: "dovecot",
    args: ["-F", "-c", configFile],
    isReady: () => answers(imapPort),
  });

  return {
    imapPort,
    configFile,
    async deliver(to, message) {
      const args = ["-c", configFile, "-d", people[to].name, "-f", `tester@${DOMAIN}`];
      await scratch.run({ command: "/usr/lib/dovecot/dovecot-lda", args, as }, message);
    },
    async count(owner, folder, subject) {
      const { name: user, password } = people[owner];
      const search = `SEARCH SUBJECT ${quoted(subject)}`;
      const said = await imapCommands(imapPort, [`LOGIN ${user} ${password}`, `EXAMINE ${quoted(folder)}`, search]);
      return (said.find((line) => line.startsWith("* SEARCH"))?.split(" ").length ?? 2) - 2;
    },
    async createFolder(owner, name) {
      const { name: user, password } = people[owner];
      await imapCommands(imapPort, [`LOGIN ${user} ${password}`, `CREATE ${quoted(name)}`, ...prepared(name)]);
    },
  };
}

/** The folders that every mailbox has from the start. */
export async function prepareFolders(imapPort: number, owner: PersonName): Promise<void> {
  const { name, password } = people[owner];
  const folders = ["INBOX", "Drafts", "Sent", "Trash", "Junk"];
  await imapCommands(imapPort, [`LOGIN ${name} ${password}`, ...folders.flatMap(prepared)]);
}

/**
 * SOGo asks for what changed since a modification sequence, and Dovecot keeps none before a client asked for them once
 * (RFC 7162 section 3.1). Without this every Sync of the folder stays empty.
 */
function prepared(folder: string): string[] {
  return [`SELECT ${quoted(folder)} (CONDSTORE)`];
}

function quoted(folder: string): string {
  // Anything else would have to be spelled in IMAP's own UTF-7 (RFC 3501 section 5.1.3), which no test needs.
  if (!/^[A-Za-z0-9 /._-]+$/.test(folder)) throw new Error(`a test folder's name is plain ASCII, not "${folder}"`);
  return `"${folder}"`;
}

function configuration(scratch: string, imapPort: number): string {
  return `
base_dir = ${scratch}/dovecot/run
state_dir = ${scratch}/dovecot/state
instance_name = postern-${imapPort}
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
# SOGo also logs in with the whole address.
auth_username_format = %Ln
log_path = ${scratch}/log/dovecot.log
mail_location = maildir:~/Maildir
first_valid_uid = 1
first_valid_gid = 1
postmaster_address = postmaster@${DOMAIN}
hostname = mail.${DOMAIN}
recipient_delimiter = +
mail_max_userip_connections = 200
passdb {
  driver = passwd-file
  args = ${scratch}/dovecot/users
}
userdb {
  driver = passwd-file
  args = ${scratch}/dovecot/users
}
service imap-login {
  inet_listener imap {
    port = ${imapPort}
  }
  inet_listener imaps {
    port = 0
  }
  # Reuses a login process instead of starting one for each of SOGo's many connections.
  service_count = 0
}
# Deliveries run with the mailbox owner's rights and still ask these two.
service auth {
  unix_listener auth-userdb {
    mode = 0666
  }
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Drafts {
    auto = subscribe
    special_use = \\Drafts
  }
  mailbox Sent {
    auto = subscribe
    special_use = \\Sent
  }
  mailbox Trash {
    auto = subscribe
    special_use = \\Trash
  }
  mailbox Junk {
    auto = subscribe
    special_use = \\Junk
  }
}
`;
}
