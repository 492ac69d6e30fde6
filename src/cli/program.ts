/** Every command of the program, in one place. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { configJsonSchema } from "../config/keys.ts";
import { showConfig } from "../config/show.ts";
import { runPhone } from "../phone/command.ts";
import type { PhoneAction, PhoneCommandOptions } from "../phone/command.ts";
import { platforms } from "../policy/device.ts";
import { version } from "../version.ts";
import { requireConfig } from "./configuration.ts";
import { demo } from "./demo.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { deviceAlias, deviceForget, deviceList, deviceSet, deviceShow } from "./device.ts";
import type { DeviceCommandOptions } from "./device.ts";
import { CommandFailed } from "./exit.ts";
import { health } from "./health.ts";
import { previewNotice } from "./notice.ts";
import type { PreviewOptions } from "./notice.ts";
import { serve } from "./serve.ts";

const configOption = ["-c, --config <file>", "configuration file (or POSTERN_CONFIG)"] as const;

export async function run(argv: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync(argv, { from: "user" });
    return typeof process.exitCode === "number" ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof CommandFailed) {
      process.stderr.write(`${error.message.trimEnd()}\n`);
      return error.exitCode;
    }
    throw error;
  }
}

function createProgram(): Command {
  const program = new Command("postern")
    .description("A gate for company mail on phones.")
    .version(version)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError();

  program
    .command("serve")
    .description("stand in front of a mail server")
    .option(...configOption)
    .action(async (options: ConfigurationOptions) => serve(options));

  program
    .command("demo")
    .description("a gate, a mail server and two phones on this machine, to see what it does")
    .option("--folder <path>", "where its configuration and store are kept while it runs")
    .option("--port <n>", "where the gate listens", wholeNumber)
    .action(async (options: { folder?: string; port?: number }) => {
      await demo(options, { stdout: process.stdout, env: process.env, signal: interrupted() });
    });

  addConfig(program.command("config").description("check, show and describe the configuration"));
  addDevice(program.command("device").description("what the store knows of phones"));
  addNotice(program.command("notice").description("what people are told"));
  addPhone(program.command("phone").description("a small ActiveSync phone: shows what a phone would show"));

  program
    .command("health")
    .description("ask a running gate whether it should get requests")
    .option(...configOption)
    .option("--url <url>", "where the admin listener is")
    .action(async (options: ConfigurationOptions & { url?: string }) => health(options));
  return program;
}

function addConfig(config: Command): void {
  config
    .command("check")
    .description("say everything that is wrong with the configuration")
    .option(...configOption)
    .action((options: ConfigurationOptions) => {
      const { routes, policy } = requireConfig(options);
      process.stdout.write(`ok: ${count(routes.length, "route")}, ${count(policy.campaigns.length, "campaign")}\n`);
    });
  config
    .command("show")
    .description("the configuration in force, and where each value came from")
    .option(...configOption)
    .action((options: ConfigurationOptions) => {
      process.stdout.write(showConfig(requireConfig(options)));
    });
  config
    .command("schema")
    .description("JSON Schema of the configuration file, for editors")
    .action(() => {
      process.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    });
}

function addDevice(device: Command): void {
  device
    .command("show <id>")
    .description("one record as it stands, and what of it cannot be read")
    .option(...configOption)
    .option("--json", "print JSON")
    .action(async (id: string, options: DeviceCommandOptions) => deviceShow(id, options));
  device
    .command("list")
    .description("every record")
    .option(...configOption)
    .option("--json", "print one JSON document a line")
    .action(async (options: DeviceCommandOptions) => deviceList(options));
  device
    .command("set <id> <field=value...>")
    .description("write fields of a record; field= removes one")
    .option(...configOption)
    .action(async (id: string, assignments: string[], options: DeviceCommandOptions) =>
      deviceSet(id, assignments, options),
    );
  device
    .command("forget <id>")
    .description("remove a record")
    .option(...configOption)
    .action(async (id: string, options: DeviceCommandOptions) => deviceForget(id, options));
  device
    .command("alias <alias> <id>")
    .description("bind another spelling of a device id to a record")
    .option(...configOption)
    .action(async (alias: string, id: string, options: DeviceCommandOptions) => deviceAlias(alias, id, options));
}

function addNotice(notice: Command): void {
  notice
    .command("preview")
    .description("show what a campaign says to people, before anybody is told")
    .option(...configOption)
    .requiredOption("--campaign <id>", "the campaign")
    .option("--locale <tag>", "language of the person, such as de or zh-CN")
    .addOption(new Option("--platform <name>", "the phone").choices(platforms).default("ios"))
    .addOption(
      new Option("--phase <name>", "before the deadline or after it").choices(["warned", "held"]).default("held"),
    )
    .option("--wave <n>", "whose deadline, from 1", wholeNumber)
    .option("--timezone <zone>", "of the person, such as Europe/Berlin")
    .option("--html <file>", "write the HTML into a file, instead of printing the text")
    .action((options: PreviewOptions) => previewNotice(options));
}

function addPhone(phone: Command): void {
  const described = (name: string, description: string): Command =>
    phone
      .command(name)
      .description(description)
      .requiredOption("--url <url>", "the mail server or gate")
      .requiredOption(
        "--user <name>",
        "as the mail server knows the person; the password is read from POSTERN_PHONE_PASSWORD",
      )
      .requiredOption("--device <id>", "ActiveSync device id")
      .option("--password-file <file>", "read the password from a file")
      .option("--type <text>", "device type that the phone claims")
      .option("--user-agent <text>", "User-Agent that the phone claims")
      .option("--from <address>", "address in From of what it sends")
      .option("--as <version>", "protocol version")
      .option("--base64", "send the query in its base64 form")
      .option("--language <tag>", "language of the phone")
      .option("--state <file>", "keep the mailbox between calls, as a phone does")
      .option("--json", "print JSON")
      .option("--ca <file>", "authorities to trust (PEM)")
      .option("--insecure", "accept any certificate");

  described("inbox", "synchronise, and show the inbox")
    .option("--watch", "stay, and show it again whenever something changes")
    .option("--heartbeat-seconds <n>", "longest wait of one Ping", wholeNumber)
    .action(act(() => ({ kind: "inbox" })));
  described("watch", "stay, and show the inbox whenever something changes")
    .option("--heartbeat-seconds <n>", "longest wait of one Ping", wholeNumber)
    .action(act(() => ({ kind: "watch" })));
  described("read", "show one message")
    .argument("<number>", "as numbered in the inbox", wholeNumber)
    .action(async (number: number, options: PhoneCommandOptions) => phoneExit({ kind: "read", number }, options));
  described("send", "send a message")
    .requiredOption("--to <address>", "who gets it")
    .requiredOption("--subject <text>", "its subject")
    .requiredOption("--text <text>", "what it says")
    .action(act(({ to, subject, text }) => ({ kind: "send", to, subject, text })));
}

interface SendOptions {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

function act(action: (options: SendOptions) => PhoneAction) {
  return async (options: PhoneCommandOptions & SendOptions): Promise<void> => phoneExit(action(options), options);
}

async function phoneExit(action: PhoneAction, options: PhoneCommandOptions): Promise<void> {
  const { stdout, stderr, env } = process;
  process.exitCode = await runPhone(action, options, { stdout, stderr, env, signal: interrupted() });
}

function interrupted(): AbortSignal {
  const leave = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => leave.abort());
  return leave.signal;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("Not a whole number.");
  return Number(text);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
