/** `postern device bind`, `unbind` and `bindings`: whose phone an id at the gate is, as an operator sees it and says it. */
import { userInfo } from "node:os";
import { readWrittenPolicy } from "../config/policy-document.ts";
import { isInFile } from "../campaign/live-policy.ts";
import type { Config } from "../config/config.ts";
import { createBindings } from "../inventory/bindings.ts";
import type { Bindings, BoundId } from "../inventory/bindings.ts";
import { appIdsOf } from "../policy/app-ids.ts";
import type { Store } from "../store/store.ts";
import { withAudit } from "./audit-trail.ts";
import { requireConfig } from "./configuration.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { requireId } from "./device.ts";
import { CommandFailed } from "./exit.ts";
import { problemTexts } from "./origin.ts";
import { withStore } from "./store.ts";
import { jsonText, momentText, print, printable } from "./terminal.ts";

export interface BindOptions extends ConfigurationOptions {
  readonly source: string;
  readonly device: string;
  readonly takenFrom?: readonly string[] | undefined;
  readonly by?: string | undefined;
  readonly json?: boolean | undefined;
}

export interface BindingsOptions extends ConfigurationOptions {
  readonly problems?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Nothing was changed, so that nothing is noted. */
class NotBound extends Error {
  readonly outcome: Awaited<ReturnType<Bindings["bind"]>>;
  constructor(outcome: NotBound["outcome"]) {
    super("not bound");
    this.outcome = outcome;
  }
}

export async function deviceBind(idText: string, options: BindOptions): Promise<void> {
  const id = requireId(idText);
  const config = requireConfig(options);
  await withStore(config, async (store) => {
    const bindings = await bindingsOf(config, store);
    const { source, device, takenFrom = [], by = userInfo().username } = options;
    const outcome = await withAudit(config, store, ({ audit }) =>
      audit.act({ kind: "device-bind", act: "bind", actor: by, device: id }, async () => {
        const result = await bindings.bind({ id, source, sourceDeviceId: device, how: "operator", by, takenFrom });
        if (result.kind !== "bound") throw new NotBound(result);
        return { result, after: { source, device, takenFrom: takenFrom.join(" ") } };
      }),
    ).catch((error: unknown) => {
      if (error instanceof NotBound) return error.outcome;
      throw error;
    });
    const named = printable(`${source} ${device}`);
    switch (outcome.kind) {
      case "no-such-device":
        throw new CommandFailed(1, `${named}: nothing was ever reported of it`);
      case "not-enrolled":
        throw new CommandFailed(1, `${named} is managed no more`);
      case "too-many-claims":
      case "taken":
        throw new CommandFailed(1, `${id} is claimed for too many devices; unbind it first`);
      case "of-others":
        throw new CommandFailed(
          2,
          `${id} is known as the phone of ${outcome.accounts.map(printable).join(" and ")}. Where it is to be taken from there, say so: ` +
            outcome.accounts.map((account) => `--taken-from ${printable(account)}`).join(" "),
        );
      case "bound":
        if (options.json === true) return print(jsonText({ id, source, sourceDeviceId: device, ...outcome }));
        print(`${id} → ${named}${outcome.account === "" ? "" : `, the phone of ${printable(outcome.account)}`}`);
        if (outcome.problem !== undefined) print(`  ! ${problemTexts[outcome.problem]}`);
    }
  });
}

export async function deviceUnbind(idText: string, options: BindingsOptions): Promise<void> {
  const id = requireId(idText);
  const config = requireConfig(options);
  await withStore(config, async (store) => {
    const bindings = await bindingsOf(config, store);
    await withAudit(config, store, ({ audit }) =>
      audit.act({ kind: "device-bind", act: "unbind", actor: userInfo().username, device: id }, async () => {
        if (!(await bindings.unbind(id))) throw new CommandFailed(1, `${id} is bound to nothing`);
        return { result: undefined };
      }),
    );
    print(options.json === true ? jsonText({ id, kind: "unbound" }) : `${id}: bound to nothing`);
  });
}

export async function deviceBindings(options: BindingsOptions): Promise<void> {
  const config = requireConfig(options);
  await withStore(config, async (store) => {
    const bindings = await bindingsOf(config, store);
    for await (const bound of bindings.list()) {
      if (options.problems === true && bound.problem === undefined) continue;
      print(options.json === true ? jsonText({ ...bound, claims: bound.claims.length }) : bindingLine(bound));
    }
  });
}

function bindingLine({ id, binding, problem }: BoundId): string {
  const known =
    binding === undefined
      ? ["-", "-", "-", "-", "-"]
      : [
          binding.how,
          binding.source,
          binding.sourceDeviceId,
          binding.account === "" ? "-" : binding.account,
          momentText(binding.at),
        ];
  return [id, ...known, problem ?? "-"].map(printable).join("\t");
}

/** @throws CommandFailed with exit code 3 where the policy cannot be read: what is kept of a device depends on it. */
async function bindingsOf(config: Config, store: Store): Promise<Bindings> {
  const stored = isInFile(config.policy) ? undefined : await store.readPolicy();
  const read = stored === undefined ? undefined : readWrittenPolicy(stored, config.policy.stances);
  if (read?.ok === false) throw new CommandFailed(3, "the policy in the store cannot be read by this version");
  const ids = appIdsOf({ ...config.policy, ...read?.policy });
  return createBindings({
    store,
    appIds: () => ids,
    homeDomains: config.policy.homeDomains,
    ownerRequired: true,
    now: () => new Date(),
  });
}
