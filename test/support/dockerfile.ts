/** Reads a Dockerfile of the few shapes that ours has. @throws at every other one: what is not understood is not proven. */

export type Instruction =
  | { readonly name: "RUN"; readonly line: string }
  | {
      readonly name: "COPY";
      /** The stage that it copies from; undefined: the folder of the project. */
      readonly from: string | undefined;
      readonly sources: readonly string[];
      readonly target: string;
    }
  | { readonly name: "WORKDIR" | "USER"; readonly line: string }
  | { readonly name: "ENV"; readonly variable: string; readonly value: string }
  | { readonly name: "ENTRYPOINT" | "CMD" | "HEALTHCHECK" | "VOLUME"; readonly words: readonly string[] }
  | { readonly name: "EXPOSE"; readonly ports: readonly string[] };

export interface Stage {
  readonly image: string;
  readonly alias: string | undefined;
  readonly instructions: readonly Instruction[];
}

export function parseDockerfile(text: string): Stage[] {
  const stages: { image: string; alias: string | undefined; instructions: Instruction[] }[] = [];
  const lines = text
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"));
  for (const line of lines) {
    const [, name = "", rest = ""] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
    if (name === "FROM") {
      const [, image = "", alias] = /^(\S+)(?: AS (\S+))?$/.exec(rest) ?? [];
      stages.push({ image, alias, instructions: [] });
    } else {
      stages.at(-1)?.instructions.push(parseInstruction(name, rest));
    }
  }
  return stages;
}

function parseInstruction(name: string, rest: string): Instruction {
  switch (name) {
    case "RUN":
    case "WORKDIR":
    case "USER":
      return { name, line: rest };
    case "COPY": {
      const words = rest.split(/ +/);
      const from = /^--from=(\S+)$/.exec(words[0] ?? "")?.[1];
      const sources = words.slice(from === undefined ? 0 : 1, -1);
      return { name, from, sources, target: words.at(-1) ?? "" };
    }
    case "ENV": {
      const [, variable = "", value = ""] = /^(\w+)=(\S+)$/.exec(rest) ?? [];
      return { name, variable, value };
    }
    case "ENTRYPOINT":
    case "CMD":
    case "VOLUME":
      return { name, words: wordsOf(rest) };
    case "HEALTHCHECK":
      return { name, words: wordsOf(rest.replace(/^.*?CMD /, "")) };
    case "EXPOSE":
      return { name, ports: rest.split(/ +/) };
    default:
      throw new Error(`${name} is not understood`);
  }
}

/** Only the form without a shell: what a shell would make of a signal is not ours to say. */
function wordsOf(json: string): string[] {
  const words: unknown = JSON.parse(json);
  if (!Array.isArray(words) || !words.every((word) => typeof word === "string")) throw new Error(`no words: ${json}`);
  return words;
}
