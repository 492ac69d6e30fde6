/** One structured line for everything worth a line. What must never be logged is not given to it: see `device-hash.ts`. */
import { pino } from "pino";
import { createLogSink } from "./log-sink.ts";

type LogLevel = "debug" | "info" | "warn" | "error";

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  flush(): void;
}

type LogFields = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface LogOptions {
  readonly level: LogLevel | "silent";
  /** File descriptor or path; standard error keeps standard output free for what a person asked to see. */
  readonly destination?: number | string;
}

export function createLog({ level, destination = 2 }: LogOptions): Log {
  const sink = createLogSink(destination);
  const logger = pino(
    {
      level,
      // Without the process id and host name in every line: whoever collects logs adds them.
      base: null,
      messageKey: "event",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  );
  const write =
    (name: "debug" | "info" | "warn" | "error") =>
    (event: string, fields: LogFields = {}): void =>
      logger[name](fields, event);
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    flush: () => sink.flush(),
  };
}

/** Names of errors all the way down, for the log. Messages are left out: libraries put URLs, and with them users, into them. */
export function errorChain(error: unknown): string[] {
  const chain: string[] = [];
  for (let cause = error; cause !== undefined && cause !== null && chain.length < 5; cause = causeOf(cause)) {
    chain.push(nameOf(cause));
  }
  return chain;
}

function nameOf(cause: unknown): string {
  if (!(cause instanceof Error)) return typeof cause === "string" ? cause : typeof cause;
  return "code" in cause && typeof cause.code === "string" ? `${cause.name}:${cause.code}` : cause.name;
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
