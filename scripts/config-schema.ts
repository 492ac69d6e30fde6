/** Writes the JSON Schema of the configuration, by which editors complete and check `postern.yaml`. */
import { writeFileSync } from "node:fs";
import { configJsonSchema } from "../src/config/keys.ts";

const file = new URL("../config/postern.schema.json", import.meta.url);
writeFileSync(file, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
