/** How a command ends. */
const exitCodes = { ok: 0, runtime: 1, usage: 2, config: 3, unreachable: 4 } as const;
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
