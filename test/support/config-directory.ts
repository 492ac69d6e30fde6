/** A directory of its own for one test, with a `postern.yaml` in it, and what `loadConfig` makes of that. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import type { Config } from "../../src/config/config.ts";
import { formatFaults } from "../../src/config/fault.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { ConfigSources } from "../../src/config/sources.ts";

export interface ConfigDirectory {
  readonly path: string;
  readonly file: string;
  readonly write: (name: string, contents: string | Uint8Array, mode?: number) => string;
  /** The faults as the terminal shows them, without the directory and the count. */
  readonly faults: (sources?: Partial<ConfigSources>) => string[];
  readonly load: (sources?: Partial<ConfigSources>) => Config;
}

export function aConfigDirectory(t: TestContext, yaml: string | Uint8Array): ConfigDirectory {
  const directory = mkdtempSync(path.join(tmpdir(), "postern-config-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));

  function write(name: string, contents: string | Uint8Array, mode = 0o600): string {
    const file = path.join(directory, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, contents, { mode });
    return file;
  }

  const file = write("postern.yaml", yaml);

  return {
    path: directory,
    file,
    write,
    faults(sources = {}) {
      const loaded = loadConfig({ file, env: {}, flags: {}, ...sources });
      if (loaded.ok) return [];
      return formatFaults(loaded.faults).replaceAll(`${directory}/`, "").trimEnd().split("\n").slice(0, -1);
    },
    load(sources = {}) {
      const loaded = loadConfig({ file, env: {}, flags: {}, ...sources });
      assert.ok(loaded.ok, loaded.ok ? "" : formatFaults(loaded.faults));
      return loaded.config;
    },
  };
}
