/** A person at SOGo's webmail with a browser: as much of one as it takes to log in and read what is in the Inbox. */
import { z } from "zod";
import type { Person } from "./people.ts";

export const userAgents = {
  laptop: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  phone:
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
} as const;

export interface Page {
  readonly httpStatus: number;
  readonly contentType: string;
  readonly text: string;
}

export interface Browser {
  get(path: string): Promise<Page>;
  /** Whether the name and password were taken. */
  logIn(person: Person): Promise<boolean>;
  /** The subjects in the Inbox, oldest first. @throws where the server shows something else instead. */
  inbox(person: Person): Promise<string[]>;
}

/** @param url of nginx or of the gate, without a trailing slash. */
export function openBrowser(url: string, userAgent: string): Browser {
  const cookies = new Map<string, string>();

  async function ask(path: string, body?: unknown): Promise<Page> {
    const response = await fetch(url + path, {
      method: body === undefined ? "GET" : "POST",
      redirect: "manual",
      headers: {
        "user-agent": userAgent,
        "accept-language": "en-US,en;q=0.5",
        ...(cookies.size > 0 ? { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") } : {}),
        // SOGo takes no POST without its own token, once somebody is logged in.
        "x-xsrf-token": cookies.get("XSRF-TOKEN") ?? "",
        ...(body === undefined ? { accept: "text/html,*/*;q=0.8" } : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ""] = cookie.split(";");
      const end = pair.indexOf("=");
      cookies.set(pair.slice(0, end), pair.slice(end + 1));
    }
    const contentType = response.headers.get("content-type") ?? "";
    return { httpStatus: response.status, contentType, text: await response.text() };
  }

  return {
    get: (path) => ask(path),
    async logIn({ name, password }) {
      const page = await ask("/SOGo/connect", { userName: name, password, domain: null, rememberLogin: 0 });
      // A wrong password is also answered with 200 or 403, according to the version, but without the person's name.
      return page.httpStatus === 200 && /"cn"/.test(page.text);
    },
    async inbox({ name }) {
      const page = await ask(`/SOGo/so/${name}/Mail/0/folderINBOX/view`, {
        sortingAttributes: { sort: "arrival", asc: 1 },
      });
      if (!page.contentType.startsWith("application/json"))
        throw new Error(`no list, but ${page.httpStatus} ${page.text}`);
      return subjectsOf(JSON.parse(page.text));
    },
  };
}

/** The list is a table: the first row names the columns. */
function subjectsOf(list: unknown): string[] {
  const { headers } = z.object({ headers: z.array(z.array(z.unknown())) }).parse(list);
  const [names, ...rows] = headers;
  const column = names?.indexOf("Subject") ?? -1;
  return rows.map((row) => z.string().parse(row[column]));
}
