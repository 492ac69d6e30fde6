/** The versions of the EWS schema that a client may ask for (`RequestServerVersion`), and the releases that brought them. */

export interface ServerVersion {
  readonly name: string;
  readonly major: number;
  readonly minor: number;
}

const releases: readonly (readonly [major: number, minor: number, names: readonly string[]])[] = [
  [8, 0, ["Exchange2007"]],
  [8, 1, ["Exchange2007_SP1"]],
  [14, 0, ["Exchange2010"]],
  [14, 1, ["Exchange2010_SP1"]],
  [14, 2, ["Exchange2010_SP2"]],
  [15, 0, ["Exchange2012", "Exchange2013", "Exchange2013_SP1"]],
  [15, 1, ["Exchange2015", "Exchange2016", "V2015_10_05", "V2016_01_06", "V2016_04_13", "V2016_07_13", "V2016_10_10"]],
  [15, 1, ["V2017_01_07", "V2017_04_14", "V2017_07_11", "V2017_10_09", "V2018_01_08"]],
];

const versions: ReadonlyMap<string, ServerVersion> = new Map(
  releases.flatMap(([major, minor, names]) => names.map((name) => [name, { name, major, minor }] as const)),
);

/** Nothing that is not on the list: what a client wrote is repeated in the answer. */
export function serverVersionOf(name: string | undefined): ServerVersion | undefined {
  return name === undefined ? undefined : versions.get(name);
}
