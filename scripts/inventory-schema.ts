/** Writes the JSON Schema of a push's record and the OpenAPI document of pushes, for whoever writes a script. */
import { writeFileSync } from "node:fs";
import { inventoryOpenApi, reportJsonSchema } from "../src/inventory/open-api.ts";
import { version } from "../src/version.ts";

const write = (name: string, document: object): void =>
  writeFileSync(new URL(`../config/${name}`, import.meta.url), `${JSON.stringify(document, null, 2)}\n`);

write("inventory.schema.json", reportJsonSchema());
write("inventory-openapi.json", inventoryOpenApi(version));
