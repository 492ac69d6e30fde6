/** Rows of a spreadsheet as records: the names of the columns say which key a cell is. */

export interface CsvRecords {
  /** What is wrong with the first line. */
  problemWith(header: readonly string[]): string | undefined;
  record(header: readonly string[], cells: readonly string[]): unknown;
}

const lists: ReadonlySet<string> = new Set(["easDeviceIds", "apps", "appsAsked", "groups", "sourceVerdict.reasons"]);
const truths: ReadonlySet<string> = new Set(["enrolled", "compromised"]);
const plain = [
  "source",
  "sourceDeviceId",
  "platform",
  "osVersion",
  "osBuild",
  "osExtra",
  "securityPatch",
  "model",
  "serial",
  "udid",
  "ownership",
  "enrolledAt",
  "deviceAt",
  "appsScope",
  "appsAt",
  "owner.email",
  "owner.name",
  "owner.sourceUserId",
  "sourceVerdict.state",
  "sourceVerdict.until",
  "region",
  "timezone",
  "locale",
];
const known: ReadonlySet<string> = new Set([...plain, ...lists, ...truths]);

/** @param map `Column=key` each; a column that is mapped to nothing (`Column=`) is left out. */
export function createCsvRecords(map: readonly string[]): CsvRecords {
  const mapped = new Map(
    map.map((each) => {
      const at = each.lastIndexOf("=");
      return [each.slice(0, Math.max(at, 0)).trim(), each.slice(at + 1).trim()] as const;
    }),
  );
  const keyOf = (column: string): string => mapped.get(column.trim()) ?? column.trim();

  return {
    problemWith(header): string | undefined {
      const keys = header.map(keyOf).filter((key) => key !== "");
      const unknown = keys.find((key) => !known.has(key));
      if (unknown !== undefined) {
        return `the column ${unknown} is no key of a record; say which it is, or leave it out: --map "${unknown}=KEY" or --map "${unknown}="`;
      }
      const twice = keys.find((key, index) => keys.indexOf(key) !== index);
      if (twice !== undefined) return `two columns are ${twice}`;
      const missing = [...mapped.keys()].find((column) => !header.some((each) => each.trim() === column));
      if (missing !== undefined) return `--map names the column ${missing}, which is not there`;
      return keys.includes("sourceDeviceId") ? undefined : "there is no column sourceDeviceId; see --map";
    },

    record(header, cells): unknown {
      const record = new Map<string, unknown>();
      const nested = new Map<string, Map<string, unknown>>();
      for (const [index, column] of header.entries()) {
        const key = keyOf(column);
        const cell = (cells[index] ?? "").trim();
        // An empty cell says nothing: that there are no apps is said in a file that can say so.
        if (key === "" || cell === "") continue;
        const [first = "", second] = key.split(".");
        if (second === undefined) record.set(key, valueOf(key, cell));
        else nested.set(first, (nested.get(first) ?? new Map<string, unknown>()).set(second, valueOf(key, cell)));
      }
      for (const [key, values] of nested) record.set(key, Object.fromEntries(values));
      return Object.fromEntries(record);
    },
  };
}

function valueOf(key: string, cell: string): unknown {
  if (lists.has(key)) return cell.split(/[\s;]+/).filter((each) => each !== "");
  if (!truths.has(key)) return cell;
  const word = cell.toLowerCase();
  if (["true", "yes", "1"].includes(word)) return true;
  return ["false", "no", "0"].includes(word) ? false : cell;
}
