/** `config show`: the effective configuration as YAML that can be read again, each value with where it came from. */
import { Document, isCollection, isNode } from "yaml";
import type { Config } from "./config.ts";
import { formatOrigin } from "./fault.ts";
import type { Origin } from "./fault.ts";

export function showConfig(config: Config): string {
  const document = new Document({});
  for (const { path, value, origin } of config.settings) {
    document.setIn(path, document.createNode(value, { flow: true }));
    const node: unknown = document.getIn(path, true);
    if (!isNode(node)) continue;
    if (isCollection(node)) node.flow = true;
    node.comment = ` ${originText(origin)}`;
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function originText(origin: Origin): string {
  // The column is for faults; a line is enough to find a value.
  return origin.kind === "file" ? formatOrigin(origin).replace(/:\d+$/, "") : formatOrigin(origin);
}
