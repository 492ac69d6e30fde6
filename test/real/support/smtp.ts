/** The way out for mail that SOGo sends: an SMTP server that knows our own people and nobody else. */
import { chown, mkdir, writeFile } from "node:fs/promises";
import { accountOf } from "./accounts.ts";
import { DOMAIN } from "./people.ts";
import { answers } from "./ports.ts";
import type { Scratch } from "./scratch.ts";

/** @returns the port it listens on. */
export async function startSmtp(scratch: Scratch, dovecotConfig: string): Promise<number> {
  const port = await scratch.claimPort();
  const as = accountOf("sogo");
  const directory = `${scratch.directory}/smtp`;
  await mkdir(directory);
  await chown(directory, as.uid, as.gid);
  const script = `${directory}/sendmail`;
  await writeFile(script, deliveryScript(directory, dovecotConfig), { mode: 0o755 });
  await scratch.launch({
    name: "smtp",
    command: "msmtpd",
    args: ["--interface=127.0.0.1", `--port=${port}`, `--command=${script} %F`],
    as,
    directory,
    isReady: () => answers(port),
  });
  return port;
}

/** msmtpd calls it with the sender and the recipients. Exit code 67 says "no such user" (sysexits.h), and SOGo hears it. */
function deliveryScript(directory: string, dovecotConfig: string): string {
  return `#!/bin/sh
from=$1
shift
mail=$(mktemp ${directory}/mail.XXXXXX) || exit 75
trap 'rm -f "$mail"' EXIT
cat >"$mail"
for recipient in "$@"; do
  case $recipient in
    *@${DOMAIN}) /usr/lib/dovecot/dovecot-lda -c ${dovecotConfig} -f "$from" -d "$recipient" <"$mail" || exit ;;
    *) exit 67 ;;
  esac
done
`;
}
