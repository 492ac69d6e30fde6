/** Writes the OpenAPI document of the admin API, for whoever makes a client of it. */
import { writeFileSync } from "node:fs";
import { openApiDocument } from "./openapi-document.ts";

writeFileSync(new URL("../config/admin-openapi.json", import.meta.url), await openApiDocument());
