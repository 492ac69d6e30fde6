/** How a command ends. 75 is EX_TEMPFAIL of sysexits.h: a mail server that handed over a message keeps it for later. */
const exitCodes = { ok: 0, runtime: 1, usage: 2, config: 3, unreachable: 4, handOverAgain: 75 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends the command with these words on standard error. */
export class CommandFailed extends Error {
  readonly exitCode: ExitCode;
  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.name = "CommandFailed";
    this.exitCode = exitCode;
  }
}
