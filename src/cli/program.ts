/** Every command of the program, in one place. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { auditExport, auditList, auditVerify, exportFormats } from "./audit.ts";
import type { AuditOptions } from "./audit.ts";
import { adminRoles } from "../config/admin-roles.ts";
import { roles } from "../config/config.ts";
import { configJsonSchema } from "../config/keys.ts";
import { BREAK_GLASS_LIMIT_HOURS } from "../campaign/break-glass.ts";
import { showConfig } from "../config/show.ts";
import { runPhone } from "../phone/command.ts";
import type { PhoneAction, PhoneCommandOptions } from "../phone/command.ts";
import { platforms } from "../policy/device.ts";
import { version } from "../version.ts";
import {
  campaignApply,
  campaignDiff,
  campaignHistory,
  campaignList,
  campaignMode,
  campaignPlan,
  campaignRemove,
  campaignRollBack,
  campaignShow,
} from "./campaign.ts";
import { addBindings } from "./binding-commands.ts";
import { campaignPreview, campaignReport } from "./campaign-preview.ts";
import { requireConfig } from "./configuration.ts";
import { demo } from "./demo.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { deviceAlias, deviceForget, deviceList, deviceSet, deviceShow } from "./device.ts";
import type { DeviceActOptions, DeviceCommandOptions } from "./device.ts";
import { breakGlass, exemptAdd, exemptEnd, exemptList } from "./exempt.ts";
import type { BreakGlassOptions, ExemptOptions } from "./exempt.ts";
import { CommandFailed } from "./exit.ts";
import { health } from "./health.ts";
import { ingest } from "./ingest.ts";
import { inventoryCheck, inventoryStatus, inventorySync } from "./inventory.ts";
import { campaignLetters } from "./letters.ts";
import { lettersBounced } from "./letters-bounced.ts";
import type { BouncedOptions } from "./letters-bounced.ts";
import { previewNotice } from "./notice.ts";
import type { PreviewOptions } from "./notice.ts";
import type { ActOptions } from "./policy-command.ts";
import { serve } from "./serve.ts";
import { TOKEN_LIFE_LIMIT_HOURS, tokenCreate } from "./token.ts";
import type { TokenCommandOptions } from "./token.ts";
import type { ServeOptions } from "./serve.ts";
import { deviceWhy } from "./why.ts";
import type { WhyOptions } from "./why.ts";

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
    .addOption(
      new Option("--role <name>", "what this process does, in place of the configuration's role").choices(roles),
    )
    .action(async (options: ServeOptions) => serve(options));

  program
    .command("demo")
    .description("a gate, a mail server and two phones on this machine, to see what it does")
    .option("--folder <path>", "where its configuration and store are kept while it runs")
    .option("--port <n>", "where the gate listens", wholeNumber)
    .action(async (options: { folder?: string; port?: number }) => {
      await demo(options, { stdout: process.stdout, env: process.env, signal: interrupted() });
    });

  addConfig(program.command("config").description("check, show and describe the configuration"));
  addCampaign(program.command("campaign").description("what phones must fulfil: apply, pause, retract, history"));
  addExempt(program.command("exempt").description("named excuses that end by themselves"));
  const device = program.command("device").description("what the store knows of phones");
  addDevice(device);
  addBindings(device);
  addLetters(program.command("letters").description("letters to people that came back"));
  addAudit(
    program.command("audit").description("who did what, what became of which phone, and whether all of it is there"),
  );
  addInventory(program.command("inventory").description("the management systems that report about phones"));
  program
    .command("ingest <file>")
    .description("take in records of devices from a file: NDJSON, or CSV with the names of the keys in its first line")
    .option(...configOption)
    .requiredOption("--source <name>", "where they come from: the source of these devices, the same each time")
    .option("--map <column=key...>", "what a column of a CSV file is; column= leaves it out")
    .option("--separator <character>", "what stands between two cells of a CSV file; a comma without it")
    .option("--dry-run", "only say what is wrong, and write nothing")
    .option("--json", "print JSON: one line for each bad line, and the counts")
    .action(ingest);
  addNotice(program.command("notice").description("what people are told"));
  addPhone(program.command("phone").description("a small ActiveSync phone: shows what a phone would show"));

  program
    .command("token")
    .description("tokens for the admin API")
    .command("create")
    .description("print a token for a script, signed with the installation secret")
    .option(...configOption)
    .addOption(new Option("--role <name>", "what it may do").choices(adminRoles).makeOptionMandatory())
    .requiredOption("--for <name>", "whose it is; stands in the history of what is done with it")
    .option("--hours <n>", `how long it counts, 1 to ${TOKEN_LIFE_LIMIT_HOURS}`, wholeNumber, 1)
    .action((options: TokenCommandOptions) => tokenCreate(options));

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

/** Every act says why, and by whom; both are kept. */
function acting(command: Command): Command {
  return command
    .option(...configOption)
    .requiredOption("--why <text>", "why; kept in the history")
    .option("--by <name>", "who decides it; without it, who runs the command")
    .option("-y, --yes", "do not ask")
    .option("--confirm <n>", "how many phones may lose their mail, where the guard of a campaign asks", wholeNumber)
    .option("--json", "print JSON");
}

function addCampaign(campaign: Command): void {
  const reading = (name: string, description: string): Command =>
    campaign
      .command(name)
      .description(description)
      .option(...configOption)
      .option("--json", "print JSON");

  reading("list", "the campaigns in force, and their times").action(campaignList);
  reading("show <id>", "one campaign as it was written").action(campaignShow);
  reading("plan <file>", "what a file would change").action(campaignPlan);
  reading("preview <file>", "who would be hit by a file, and when, before it is in force")
    .option("--csv", "print every phone that is concerned, for a spreadsheet")
    .option("--important <name...>", "people, or groups, whose phones are shown by name, beside preview.important")
    .action(campaignPreview);
  reading("report <id>", "what a campaign has done, or would have done while it looks on").action(campaignReport);
  acting(campaign.command("apply <file>").description("put a file's campaigns and exemptions in force")).action(
    campaignApply,
  );
  const modes = [
    ["retract", "retracted", "take a campaign back: all mail flows again, on every node, within seconds"],
    ["pause", "paused", "let a campaign do nothing until it is resumed"],
    ["resume", "enforce", "enforce a campaign that was paused, retracted or only looked on"],
  ] as const;
  for (const [name, mode, description] of modes) {
    acting(campaign.command(`${name} <id>`).description(description)).action(async (id: string, options: ActOptions) =>
      campaignMode(id, mode, name, options),
    );
  }
  acting(campaign.command("remove <id>").description("take a retracted or paused campaign out of the policy")).action(
    campaignRemove,
  );
  reading("letters <id>", "who was told, and whom no letter reached").action(campaignLetters);
  reading("history", "every act, with who and why")
    .option("--limit <n>", "at most so many, the newest first", wholeNumber, 50)
    .action(campaignHistory);
  reading("diff <from> [to]", "the difference of two versions; without the second, to the one in force").action(
    async (from: string, to: string | undefined, options: ConfigurationOptions) =>
      campaignDiff(wholeNumber(from), to === undefined ? undefined : wholeNumber(to), options),
  );
  acting(campaign.command("roll-back <version>").description("everything as it was in a version")).action(
    async (to: string, options: ActOptions) => campaignRollBack(wholeNumber(to), options),
  );
}

function addExempt(exempt: Command): void {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  acting(exempt.command("add").description("excuse people, groups or phones from a campaign"))
    .option("--owner <name>", "a person with all their phones; may be given again", collect)
    .option("--group <name>", "a group; may be given again", collect)
    .option("--device <id>", "one phone; may be given again", collect)
    .requiredOption("--campaign <id>", "the campaign, or all")
    .requiredOption("--until <time>", "when it ends by itself: 2026-12-01 or 2026-12-01T18:00Z")
    .option("--id <name>", "how it is called")
    .action(async (options: ExemptOptions) => exemptAdd(options));
  exempt
    .command("list")
    .description("the exemptions in force")
    .option(...configOption)
    .option("--json", "print JSON")
    .action(exemptList);
  acting(exempt.command("end <id>").description("end an exemption now")).action(
    async (id: string, options: ActOptions) => exemptEnd(id, options),
  );
  acting(
    exempt
      .command("break-glass <owner>")
      .description("let one person read mail for some hours, whatever is held against their phones but a block"),
  )
    .requiredOption("--hours <n>", `1 to ${BREAK_GLASS_LIMIT_HOURS}`, wholeNumber)
    .action(async (owner: string, options: BreakGlassOptions) => breakGlass(owner, options));
}

function addDevice(device: Command): void {
  device
    .command("why <id>")
    .description("why a phone is judged as it is, what each campaign says, and what will change it")
    .option(...configOption)
    .option("--as <name>", "whose credential comes with the request; without it, the owner's")
    .option("--at <time>", "as it will be, or was, at another time")
    .option("--with <field=value...>", "as if the record said this: osVersion=26.1, or app=ID for one app more")
    .option("--json", "print JSON")
    .action(async (id: string, options: WhyOptions) => deviceWhy(id, options));
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
  const writing = (name: string, description: string): Command =>
    device
      .command(name)
      .description(description)
      .option(...configOption)
      .option("--why <text>", "why; kept in the audit trail")
      .option("--by <name>", "who decides it; without it, who runs the command");

  writing("set <id> <field=value...>", "write fields of a record; field= removes one").action(
    async (id: string, assignments: string[], options: DeviceActOptions) => deviceSet(id, assignments, options),
  );
  writing("forget <id>", "remove a record").action(async (id: string, options: DeviceActOptions) =>
    deviceForget(id, options),
  );
  writing("alias <alias> <id>", "bind another spelling of a device id to a record").action(
    async (alias: string, id: string, options: DeviceActOptions) => deviceAlias(alias, id, options),
  );
}

function addAudit(audit: Command): void {
  const filtered = (name: string, description: string): Command =>
    audit
      .command(name)
      .description(description)
      .option(...configOption)
      .option("--device <id>", "only about this phone")
      .option("--campaign <id>", "only about this campaign, or exemption")
      .option("--actor <name>", "only what this person did; postern for what nobody did")
      .option("--since <time>", "from then on: 2026-12-01 or 2026-12-01T18:00Z")
      .option("--until <time>", "before then");

  filtered("list", "acts of operators and changes of verdicts, the newest first")
    .option("--limit <n>", "at most so many", wholeNumber, 50)
    .option("--json", "print one JSON document a line")
    .action(async (options: AuditOptions & { limit: number }) => auditList(options));
  filtered("export", "all of it on standard output, the oldest first")
    .addOption(new Option("--format <name>", "how it is written").choices(exportFormats).default("ndjson"))
    .action(async (options: AuditOptions & { format: (typeof exportFormats)[number] }) => auditExport(options));
  audit
    .command("verify")
    .description("whether every entry is there as it was written, in the store and in the journal of this machine")
    .option(...configOption)
    .option("--json", "print JSON")
    .action(async (options: ConfigurationOptions & { json?: boolean }) => auditVerify(options));
}

function addLetters(letters: Command): void {
  letters
    .command("bounced")
    .description("read a mail server's report from standard input, and note which letter came back")
    .option(...configOption)
    .option("-v, --verbose", "say what was done; silent without it, as mail servers want it")
    .option("--json", "print JSON")
    .action(async (options: BouncedOptions) => lettersBounced(options, process.stdin));
}

function addInventory(inventory: Command): void {
  inventory
    .command("status")
    .description("each connector: its last success, what it does now, its errors and its budget")
    .option(...configOption)
    .option("--json", "print JSON")
    .action(inventoryStatus);
  inventory
    .command("sync <name>")
    .description("have a connector ask its system now, and wait until it has")
    .option(...configOption)
    .option("--full", "for everything, and not only what has changed")
    .option("--accept-fewer", "un-enrol what a full sync does not name, however much that is")
    .option("--by <name>", "who asks; without it, who runs the command")
    .option("--wait <minutes>", "how long to wait for its end", wholeNumber, 120)
    .action(inventorySync);
  inventory
    .command("check <name>")
    .description("ask a system one thing, to see whether its address, the credential and its permissions are right")
    .option(...configOption)
    .action(inventoryCheck);
}

function addNotice(notice: Command): void {
  notice
    .command("preview")
    .description("show what a campaign says to people, before anybody is told")
    .option(...configOption)
    .option("--campaign <id>", "the campaign; of a single one it need not be said")
    .option("--file <file>", "a file with campaigns; without it, those of the configuration file")
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
