/**
 * The path of a call, with its variable parts kept apart: they are encoded for the wire, and left out of whatever is logged or recorded.
 */
import { ConnectorFailure } from "../../inventory/connector.ts";

export interface RestPath {
  /** Encoded, below the base URL: begins with a slash. */
  readonly text: string;
  /** The same with `…` for each variable part. */
  readonly template: string;
  /** The variable parts, as they were given. */
  readonly values: readonly string[];
}

/** A part of a path, longer than any id of a management system. */
const VALUE_LIMIT = 500;

/** `at\`/api/v1/hosts/${id}/refetch\``: whatever stands in `id` stays one segment. @throws ConnectorFailure where it cannot be one. */
export function at(fixed: TemplateStringsArray, ...values: readonly (string | number)[]): RestPath {
  const texts = values.map(String);
  // A parser of URLs takes a segment of dots away, encoded or not, and the call would go elsewhere.
  if (texts.some((text) => text === "" || text === "." || text === ".." || text.length > VALUE_LIMIT)) {
    throw new ConnectorFailure("not-possible", `an id that cannot be a part of ${fixed.join("…")}`);
  }
  return {
    text: fixed.reduce((path, part, index) => path + encode(texts[index - 1] ?? "") + part),
    template: fixed.join("…"),
    values: texts,
  };
}

function encode(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    // Half of a surrogate pair.
    throw new ConnectorFailure("not-possible", "an id that is not Unicode");
  }
}
