/** Where every value came from, while file, environment and flags are laid over each other. */
import type { ConfigDocument } from "./document.ts";
import type { Origin, Path } from "./fault.ts";

export interface Origins {
  /** From here on, the value at this path and all below it come from somewhere else than the file. */
  readonly replace: (path: Path, origin: Origin) => void;
  /** Where the value itself came from. */
  readonly of: (path: Path) => Origin;
  /** What to point at for a fault at this path: the thing itself, or what it is missing from. */
  readonly pointAt: (path: Path, side: "key" | "value") => Origin;
}

export function createOrigins(file: string | undefined, document: ConfigDocument): Origins {
  const replaced = new Map<string, Origin>();

  function replacedAt(path: Path): Origin | undefined {
    for (let length = path.length; length > 0; length--) {
      const origin = replaced.get(JSON.stringify(path.slice(0, length)));
      if (origin !== undefined) return origin;
    }
    return undefined;
  }

  function inFile(path: Path, side: "key" | "value"): Origin | undefined {
    const positions = file === undefined ? undefined : document.positionOf(path);
    if (file === undefined || positions === undefined) return undefined;
    return { kind: "file", file, position: positions[side] };
  }

  function pointAt(path: Path, side: "key" | "value"): Origin {
    const here = replacedAt(path) ?? inFile(path, side);
    if (here !== undefined) return here;
    if (path.length > 0) return pointAt(path.slice(0, -1), "key");
    return file === undefined ? { kind: "default" } : { kind: "file", file, position: { line: 1, column: 1 } };
  }

  return {
    replace: (path, origin) => replaced.set(JSON.stringify(path), origin),
    of: (path) => replacedAt(path) ?? inFile(path, "value") ?? { kind: "default" },
    pointAt,
  };
}
