/** As much of an IMAP client as it takes to prepare folders and to look into them. */
import { connect } from "node:net";
import { createInterface } from "node:readline";

/** Gives the commands one after the other. @returns what was said beside their results. @throws at the first that is not answered with OK. */
export async function imapCommands(port: number, commands: readonly string[]): Promise<string[]> {
  const socket = connect(port, "127.0.0.1");
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const untagged: string[] = [];
  try {
    // The greeting.
    await lines.next();
    for (const [index, command] of commands.entries()) {
      socket.write(`c${index} ${command}\r\n`);
      untagged.push(...(await untilDone(lines, `c${index} `, command)));
    }
    return untagged;
  } finally {
    socket.destroy();
  }
}

async function untilDone(lines: AsyncIterator<string>, tag: string, command: string): Promise<string[]> {
  const untagged: string[] = [];
  for (;;) {
    const line = await lines.next();
    if (line.done === true) throw new Error(`IMAP connection ended during ${command}`);
    if (!line.value.startsWith(tag)) {
      untagged.push(line.value);
      continue;
    }
    if (line.value.startsWith(`${tag}OK`)) return untagged;
    throw new Error(`IMAP ${command}: ${line.value}`);
  }
}
