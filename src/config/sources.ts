/** What a configuration is loaded from. */

export type Environment = Readonly<Record<string, string | undefined>>;
/** By the path of the key, such as `mail.listen`; `settableKeys` says how each flag is spelt. */
export type Flags = Readonly<Record<string, string | undefined>>;

export interface ConfigSources {
  /** From the command line; it outranks `POSTERN_CONFIG`. Undefined: no file, only environment, flags and defaults. */
  readonly file?: string | undefined;
  readonly env: Environment;
  readonly flags: Flags;
}
