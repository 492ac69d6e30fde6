/** `postern inventory`: how the management systems are, a sync now, and whether address and credential are right. */
import { userInfo } from "node:os";
import type { Config, ConnectorConfig } from "../config/config.ts";
import { openConnector } from "../connectors/registry.ts";
import { freeAdmission } from "../connectors/rest/admission.ts";
import { ConnectorFailure } from "../inventory/connector.ts";
import { readState, stateKey } from "../sync/connector-state.ts";
import type { ConnectorState } from "../sync/connector-state.ts";
import { requireConfig } from "./configuration.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { CommandFailed } from "./exit.ts";
import { withStore } from "./store.ts";
import { askForSync, followSync, shareOf } from "./sync-wish.ts";
import { jsonText, momentText, print, printable, spanText, table, toned } from "./terminal.ts";

export interface InventoryOptions extends ConfigurationOptions {
  readonly json?: boolean | undefined;
}

export interface InventorySyncOptions extends ConfigurationOptions {
  readonly full?: boolean | undefined;
  readonly acceptFewer?: boolean | undefined;
  readonly by?: string | undefined;
  /** Minutes to wait for its end. */
  readonly wait?: number | undefined;
}

export async function inventoryStatus(options: InventoryOptions): Promise<void> {
  const config = requireConfig(options);
  const { connectors } = config.inventory;
  await withStore(config, async (store) => {
    const documents = await store.readDocuments(connectors.map(({ name }) => stateKey(name)));
    const all = connectors.map((connector, index) => ({ connector, state: readState(documents[index]) }));
    if (options.json === true) {
      print(
        jsonText(
          all.map(({ connector: { name, kind }, state }) => ({ name, kind, ...state })),
          2,
        ),
      );
      return;
    }
    if (all.length === 0) return print("There are no connectors: inventory.connectors is empty.");
    const now = new Date();
    print(
      table([
        ["name", "kind", "last success", "devices", "now", "budget left"].map((title) => toned("strong", title)),
        ...all.map(({ connector: { name, kind }, state }) => [
          name,
          kind,
          state.succeededAt === undefined ? "-" : `${spanText(now.getTime() - state.succeededAt.getTime())} ago`,
          state.devices === undefined ? "-" : String(state.devices),
          workText(connectors, name, state),
          state.budgetLeft === undefined ? "-" : String(state.budgetLeft),
        ]),
      ]),
    );
    for (const { connector, state } of all) for (const line of troubleOf(connector, state)) print(line);
  });
}

function workText(
  connectors: readonly ConnectorConfig[],
  name: string,
  { run, nextAt, failures }: ConnectorState,
): string {
  const connector = connectors.find((each) => each.name === name);
  if (connector !== undefined && !canList(connector)) return "listens";
  if (failures > 0 && nextAt !== undefined) return `failed; again at ${momentText(nextAt)}`;
  if (run === undefined) return "rests";
  const share = shareOf(run);
  const progress = `${run.devices}${run.total === undefined ? "" : ` of ${run.total}`} devices, ${run.pages} pages`;
  return `${run.kind} sync: ${share === undefined ? "" : `${Math.floor(share * 100)}%, `}${progress}`;
}

function troubleOf({ name }: ConnectorConfig, { failure, failures, fewDevices }: ConnectorState): string[] {
  const lines: string[] = [];
  if (failure !== undefined) {
    lines.push(
      toned(
        "bad",
        `! ${name}: ${failure.code} since ${momentText(failure.at)}, ${failures} in a row: ${printable(failure.detail)}`,
      ),
    );
    lines.push(`  ${adviceOn(failure.code, name)}`);
  }
  if (fewDevices !== undefined) {
    const { named, before } = fewDevices;
    lines.push(
      toned(
        "bad",
        `! ${name}: the last full sync named ${named} devices, and ${before} were there before: nobody was un-enrolled.`,
      ),
    );
    lines.push(`  If that is right: postern inventory sync ${name} --full --accept-fewer`);
  }
  return lines;
}

function adviceOn(code: ConnectorFailure["code"], name: string): string {
  switch (code) {
    case "refused":
      return `Correct the address, the credential or its permissions, then: postern inventory check ${name}`;
    case "throttled":
      return "It asks to be left alone for a while. Lower requestsPerMinute if this comes back.";
    case "away":
      return "It does not answer, or with a fault of its own. It is asked again by itself.";
    case "unreadable":
      return "It answers what this version does not understand. Set recordTo, look through the files, and report it.";
    case "not-possible":
      return "It will not do this.";
  }
}

export async function inventoryCheck(name: string, options: ConfigurationOptions): Promise<void> {
  const connectorConfig = requireConnector(requireConfig(options), name);
  const opened = openConnector(connectorConfig, {
    now: () => new Date(),
    admission: freeAdmission,
    remember: async () => true,
    isRemembered: async () => false,
    forget: async () => undefined,
    onRecordingFailure: () => undefined,
  });
  try {
    await opened.connector.health({ signal: AbortSignal.timeout(120_000), appIds: () => [], now: () => new Date() });
    print(`${name} (${opened.connector.kind}): ok`);
  } catch (error) {
    if (!(error instanceof ConnectorFailure)) throw error;
    throw new CommandFailed(1, `${name}: ${error.code}: ${printable(error.message)}\n${adviceOn(error.code, name)}`);
  } finally {
    opened.close();
  }
}

export async function inventorySync(name: string, options: InventorySyncOptions): Promise<void> {
  const config = requireConfig(options);
  if (!canList(requireConnector(config, name)))
    throw new CommandFailed(
      2,
      `${name} cannot be asked for everything: it lists nothing, and its devices speak for themselves`,
    );
  await withStore(config, async (store) => {
    const { full = false, acceptFewer = false, by = userInfo().username } = options;
    const number = await askForSync(store, name, { full: full || acceptFewer, acceptFewer, by });
    const state = await followSync(store, name, number, (options.wait ?? 120) * 60_000);
    if (state.failure !== undefined) {
      throw new CommandFailed(
        1,
        `${name}: ${state.failure.code}: ${printable(state.failure.detail)}\n${adviceOn(state.failure.code, name)}`,
      );
    }
    print(`${name}: done${state.devices === undefined ? "" : `, ${state.devices} devices`}`);
    if (state.fewDevices !== undefined)
      throw new CommandFailed(1, troubleOf(requireConnector(config, name), state).join("\n"));
  });
}

/** Whether it can be asked for all of its devices. */
function canList({ kind }: ConnectorConfig): boolean {
  switch (kind) {
    case "push":
    case "nanomdm":
    case "micromdm":
      return false;
    case "android-management":
    case "fleet":
    case "intune":
    case "jamf":
    case "workspace-one":
      return true;
  }
}

function requireConnector({ inventory }: Config, name: string): ConnectorConfig {
  const found = inventory.connectors.find((each) => each.name === name);
  if (found !== undefined) return found;
  const names = inventory.connectors.map((each) => each.name).join(", ");
  throw new CommandFailed(2, `there is no connector ${printable(name)}${names === "" ? "" : `; there are: ${names}`}`);
}
