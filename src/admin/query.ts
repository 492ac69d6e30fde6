/** The query of a request: names and values once each, or it is refused. */
import { Problem } from "./problem.ts";

const QUERY_LIMIT_CHARACTERS = 4_096;
const PARAMETERS_LIMIT = 32;

/** @param search what follows the path, with its `?`; or nothing. @throws Problem */
export function readQuery(search: string): Readonly<Record<string, string | readonly string[]>> {
  if (search === "" || search === "?") return {};
  if (search.length > QUERY_LIMIT_CHARACTERS) throw unreadable(`longer than ${QUERY_LIMIT_CHARACTERS} characters`);
  const pairs = search.slice(1).split("&");
  if (pairs.length > PARAMETERS_LIMIT) throw unreadable(`more than ${PARAMETERS_LIMIT} parameters`);
  const values = new Map<string, string[]>();
  for (const pair of pairs) {
    const equals = pair.indexOf("=");
    if (equals < 1) throw unreadable("a parameter is not name=value");
    const [key, value] = [decoded(pair.slice(0, equals)), decoded(pair.slice(equals + 1))];
    values.set(key, [...(values.get(key) ?? []), value]);
  }
  // `with` may come several times; whether another may its schema says, which takes one text.
  return Object.fromEntries([...values].map(([name, all]) => [name, all.length === 1 ? (all[0] ?? "") : all]));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw unreadable("it is not UTF-8 in percent signs");
  }
}

function unreadable(detail: string): Problem {
  return new Problem("bad-request", { detail: `the query cannot be read: ${detail}` });
}
