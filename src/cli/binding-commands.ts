/** The commands by which operators see and say whose phone an id at the gate is. */
import type { Command } from "commander";
import { deviceBind, deviceBindings, deviceUnbind } from "./bindings.ts";
import type { BindingsOptions, BindOptions } from "./bindings.ts";
import { deviceStrangers } from "./strangers.ts";
import type { StrangersOptions } from "./strangers.ts";

const configOption = ["-c, --config <file>", "configuration file (or POSTERN_CONFIG)"] as const;

export function addBindings(device: Command): void {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  device
    .command("bind <id>")
    .description("say which managed device an id at the gate is; against what is known now the decision holds")
    .requiredOption("--source <name>", "the management system, as the configuration names it")
    .requiredOption("--device <id>", "the device's id there")
    .option("--taken-from <name>", "a person whose phone it was; may be given again", collect)
    .option("--by <name>", "who decides it; without it, who runs the command")
    .option(...configOption)
    .option("--json", "print JSON")
    .action(async (id: string, options: BindOptions) => deviceBind(id, options));
  device
    .command("unbind <id>")
    .description("an id at the gate is none of the devices for which it is claimed now")
    .option(...configOption)
    .option("--json", "print JSON")
    .action(async (id: string, options: BindingsOptions) => deviceUnbind(id, options));
  device
    .command("strangers")
    .description("ids that came with a good credential and have no record, and the phones of their people")
    .option(...configOption)
    .option("--json", "print one JSON document a line")
    .action(async (options: StrangersOptions) => deviceStrangers(options));
  device
    .command("bindings")
    .description("every id at the gate that is claimed for a managed device, and how that is known")
    .option("--problems", "only those that count for nobody")
    .option(...configOption)
    .option("--json", "print one JSON document a line")
    .action(async (options: BindingsOptions) => deviceBindings(options));
}
