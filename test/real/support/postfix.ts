/**
 * Postfix of Debian, without its package being installed: it would take the place of msmtp-mta, which other tests use. Its
 * files are unpacked into the scratch directory. It takes mail for everybody, hands it on to one server, and gives reports
 * about it to a program, as /etc/aliases says.
 */
import { chmod, chown, mkdir, writeFile } from "node:fs/promises";
import { accountOf } from "./accounts.ts";
import { answers } from "./ports.ts";
import type { Scratch } from "./scratch.ts";

export interface PostfixOptions {
  /** The port on this machine that takes what is for others. */
  readonly relayPort: number;
  /** What stands behind the names of aliases, as in /etc/aliases. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Domains whose addresses are looked up there. */
  readonly domain: string;
}

/** @returns the port it listens on. */
export async function startPostfix(scratch: Scratch, options: PostfixOptions): Promise<number> {
  const port = await scratch.claimPort();
  const root = `${scratch.directory}/postfix`;
  await scratch.run({ command: "sh", args: ["-euc", unpacking, "sh", root] });
  await layOut(root);
  await writeFile(`${root}/conf/main.cf`, mainConfiguration(root, options));
  await writeFile(`${root}/conf/master.cf`, services(port));
  const aliases = Object.entries(options.aliases).map(([name, target]) => `${name} ${target}\n`);
  await writeFile(`${root}/conf/aliases`, aliases.join(""));
  await scratch.launch({
    name: "postfix",
    command: `${root}/files/usr/lib/postfix/sbin/master`,
    args: ["-c", `${root}/conf`, "-d"],
    env: { LD_LIBRARY_PATH: `${root}/files/usr/lib/postfix`, MAIL_CONFIG: `${root}/conf` },
    isReady: () => answers(port),
  });
  return port;
}

// The libraries that it needs conflict with nothing, and are installed.
const unpacking = `
mkdir "$1"; chmod 755 "$1"; cd "$1"
libraries() { apt-cache depends --important postfix | sed -n 's/^ *Depends: \\(lib[^<>]*\\)$/\\1/p'; }
test -n "$(libraries)" || apt-get update
export RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive
flock /run/postern-tests-apt.lock apt-get install -y --no-install-recommends $(libraries)
apt-get download postfix
dpkg-deb -x postfix_*.deb files
`;

/** Any account that no person and no other daemon of the tests has. */
const OWNER = "daemon";
const DROP_GROUP = "uucp";

const ownFolders = "active bounce corrupt defer deferred flush hold incoming private saved trace".split(" ");

/** What its own script does when it is installed. */
async function layOut(root: string): Promise<void> {
  const { uid } = accountOf(OWNER);
  const { gid } = accountOf(DROP_GROUP);
  for (const folder of ["conf", "queue", "queue/pid"]) await mkdir(`${root}/${folder}`);
  for (const folder of ["data", ...ownFolders.map((name) => `queue/${name}`)]) {
    await mkdir(`${root}/${folder}`);
    await chown(`${root}/${folder}`, uid, 0);
  }
  for (const [folder, mode] of [
    ["maildrop", 0o730],
    ["public", 0o710],
  ] as const) {
    await mkdir(`${root}/queue/${folder}`);
    await chown(`${root}/queue/${folder}`, uid, gid);
    await chmod(`${root}/queue/${folder}`, mode);
  }
}

function mainConfiguration(root: string, { relayPort, domain }: PostfixOptions): string {
  const files = `${root}/files`;
  return `compatibility_level = 3.6
queue_directory = ${root}/queue
data_directory = ${root}/data
daemon_directory = ${files}/usr/lib/postfix/sbin
command_directory = ${files}/usr/sbin
meta_directory = ${files}/etc/postfix
shlib_directory = ${files}/usr/lib/postfix
import_environment = MAIL_CONFIG LD_LIBRARY_PATH
mail_owner = ${OWNER}
setgid_group = ${DROP_GROUP}
default_privs = nobody
maillog_file = ${root}/postfix.log
maillog_file_prefixes = ${root}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.${domain}
mydestination = ${domain}
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
local_recipient_maps =
alias_maps = texthash:${root}/conf/aliases
relayhost = [127.0.0.1]:${relayPort}
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
`;
}

function services(port: number): string {
  return `127.0.0.1:${port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
tlsmgr unix - - n 1000? 1 tlsmgr
`;
}
