/** The one way to a configuration: everything in order, or every fault there is, before the first port opens. */
import path from "node:path";
import { buildConfig } from "./build.ts";
import type { Config } from "./config.ts";
import { checkConsistency } from "./consistency.ts";
import { parseConfigDocument } from "./document.ts";
import type { ConfigDocument } from "./document.ts";
import { formatPath, sortFaults } from "./fault.ts";
import type { ConfigFault, Origin, Path } from "./fault.ts";
import { findingsOf } from "./issues.ts";
import type { Finding } from "./issues.ts";
import { FILE_VARIABLE, completed, environmentLayer, flagLayer, layOver, spelledOut } from "./layers.ts";
import type { ConfigSources } from "./sources.ts";
import { readMaterial } from "./material.ts";
import { createOrigins } from "./origins.ts";
import { readText } from "./read-text.ts";
import { configSchema } from "./schema.ts";
import { withSecretFiles } from "./secret-files.ts";
import { settingsOf } from "./settings.ts";

/** 1 MiB: thousands of campaigns and routes; whatever is larger is another file by mistake. */
const CONFIG_FILE_LIMIT_BYTES = 1024 * 1024;

const noFlag: Origin = { kind: "flag", flag: "--config" };

export type LoadedConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly faults: readonly ConfigFault[] };

export function loadConfig(sources: ConfigSources): LoadedConfig {
  const { file: flagFile, env, flags } = sources;
  const file = flagFile ?? env[FILE_VARIABLE];
  const environment = environmentLayer(env);
  const flagged = flagLayer(flags);
  const outside = [...environment.faults, ...flagged.faults];

  if (file === "") {
    const origin: Origin = flagFile === undefined ? { kind: "environment", variable: FILE_VARIABLE } : noFlag;
    return failed([...outside, { origin, path: "", message: "is empty; it must name the configuration file" }]);
  }
  const text = file === undefined ? "" : readText(file, CONFIG_FILE_LIMIT_BYTES);
  if (typeof text !== "string" && !text.ok) {
    const origin = { kind: "file" as const, file: file ?? "", position: undefined };
    return failed([...outside, { origin, path: "", message: text.problem }]);
  }
  const document = parseConfigDocument(typeof text === "string" ? text : text.value);
  const written = faultsOf(document, file);
  if (document.broken) return failed([...outside, ...written]);

  const origins = createOrigins(file, document);
  // A file in which everything is commented out says nothing, which is not the same as saying something wrong.
  const base = spelledOut(document.tree ?? {}, origins);
  const layered = layOver(layOver(base, environment, origins), flagged, origins);
  const directory = file === undefined ? process.cwd() : path.dirname(path.resolve(file));
  const tree = completed(layered, origins, directory);

  const secrets = withSecretFiles(tree, origins);
  const parsed = configSchema.safeParse(secrets.tree);
  const { material, findings } = readMaterial(tree);
  const found = [
    ...(parsed.success ? [] : findingsOf(parsed.error.issues, secrets.tree)),
    ...checkConsistency(secrets.tree, (path) => origins.of(path).kind !== "default"),
  ].filter(({ path }) => !isBelow(path, [...document.unread, ...secrets.unread]));

  const faults = [...found, ...secrets.findings, ...findings].map((finding) => toFault(finding));
  if (!parsed.success || faults.length + written.length + outside.length > 0) {
    return failed([...outside, ...written, ...faults]);
  }
  return { ok: true, config: buildConfig(parsed.data, material, sources, settingsOf(tree, origins)) };

  function toFault({ path, message, side }: Finding): ConfigFault {
    return { origin: origins.pointAt(path, side), path: formatPath(path), message };
  }
}

function failed(faults: readonly ConfigFault[]): LoadedConfig {
  return { ok: false, faults: sortFaults(faults) };
}

function faultsOf(document: ConfigDocument, file: string | undefined): ConfigFault[] {
  return document.faults.map(({ path, position, message }) => ({
    origin: { kind: "file", file: file ?? "", position },
    path: formatPath(path),
    message,
  }));
}

/** What could not be read has its own fault, and everything that follows from it is only noise. */
function isBelow(path: Path, blocked: readonly Path[]): boolean {
  return blocked.some((above) => above.every((part, index) => path[index] === part));
}
