/** A small webmail, so that it can be seen that a laptop reads on while a phone is held. */
import { createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { readBasicCredential, type Account, type Accounts } from "./accounts.ts";
import { folderClass, type Folder } from "./folder.ts";
import { findAttachment } from "./item-operations.ts";
import type { MailItem } from "./mailbox.ts";
import { listPage, loginPage, messagePage, notFoundPage, styleSheet } from "./webmail-pages.ts";

export interface WebAnswer {
  readonly httpStatus: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
  readonly chunks: () => Iterable<Uint8Array>;
}

const SESSION_COOKIE = "demo-mail-session";
// A browser that comes after a thousand others have signed in signs in again.
const SESSIONS_LIMIT = 1000;

const safeHeaders = {
  "Content-Security-Policy":
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
};

export function createWebmail(accounts: Accounts, seed: string) {
  const sessions = new Map<string, Account>();
  let signIns = 0;

  function signIn(body: Buffer): WebAnswer {
    const form = new URLSearchParams(body.toString("utf8"));
    const credential = { login: form.get("login") ?? "", password: form.get("password") ?? "" };
    const account = accounts.authenticate(credential);
    if (account === undefined) return html(403, loginPage(true));
    signIns += 1;
    const token = createHmac("sha256", seed).update(`session ${signIns} ${account.name}`).digest("base64url");
    sessions.set(token, account);
    const oldest = sessions.size > SESSIONS_LIMIT ? sessions.keys().next().value : undefined;
    if (oldest !== undefined) sessions.delete(oldest);
    return redirect("/mail/", `${SESSION_COOKIE}=${token}; Path=/mail; HttpOnly; SameSite=Lax`);
  }

  function signOut(request: IncomingMessage): WebAnswer {
    sessions.delete(readToken(request));
    return redirect("/mail/login", `${SESSION_COOKIE}=; Path=/mail; HttpOnly; SameSite=Lax; Max-Age=0`);
  }

  function whoIs(request: IncomingMessage): Account | undefined {
    const credential = readBasicCredential(request.headers.authorization);
    return credential === undefined ? sessions.get(readToken(request)) : accounts.authenticate(credential);
  }

  /** `path` begins with `/mail`. */
  return function answer(request: IncomingMessage, path: string, query: URLSearchParams, body: Buffer): WebAnswer {
    if (path === "/mail/style.css") return text(200, "text/css; charset=utf-8", styleSheet);
    if (path === "/mail/login") return request.method === "POST" ? signIn(body) : html(200, loginPage(false));
    if (path === "/mail/logout" && request.method === "POST") return signOut(request);

    const account = whoIs(request);
    if (account === undefined && request.headers.authorization !== undefined) return challenge();
    if (account === undefined) return redirect("/mail/login");
    if (request.method !== "GET" && request.method !== "HEAD") return html(405, notFoundPage());
    return answerAccount(account, path, query);
  };
}

function answerAccount(account: Account, path: string, query: URLSearchParams): WebAnswer {
  if (path === "/mail" || path === "/mail/") {
    const folder = account.mailbox.folder(query.get("folder") ?? account.mailbox.special("inbox").id);
    return folder === undefined || folderClass(folder) !== "Email" ? notFound() : html(200, listPage(account, folder));
  }
  const match = /^\/mail\/message\/(\d+:\d+)(?:\/attachment\/(\d+))?$/.exec(path);
  const item = account.mailbox.item(match?.[1] ?? "");
  const folder = item === undefined ? undefined : account.mailbox.folder(item.folderId);
  if (item?.kind !== "mail" || folder === undefined) return notFound();
  return match?.[2] === undefined ? readMessage(account, folder, item) : download(account, `${item.id}:${match[2]}`);
}

function readMessage(account: Account, folder: Folder, item: MailItem): WebAnswer {
  // Reading is reading, wherever it happens: the phone shows the message as read after its next Sync.
  if (!item.read) account.mailbox.replace(item.id, { ...item, read: true });
  return html(200, messagePage(account, folder, item));
}

function download(account: Account, reference: string): WebAnswer {
  const attachment = findAttachment(reference, account.mailbox);
  if (attachment === undefined) return notFound();
  const { name, contentType, sizeBytes, chunks } = attachment;
  const disposition = `attachment; filename*=UTF-8''${encodeURIComponent(name)}`;
  return {
    httpStatus: 200,
    headers: { ...safeHeaders, "Content-Type": contentType, "Content-Disposition": disposition },
    sizeBytes,
    chunks,
  };
}

function readToken({ headers }: IncomingMessage): string {
  const pairs = (headers.cookie ?? "").split(/;\s*/).map((pair) => pair.split("="));
  return pairs.find(([name]) => name === SESSION_COOKIE)?.[1] ?? "";
}

function text(
  httpStatus: number,
  contentType: string,
  content: string,
  headers: Record<string, string> = {},
): WebAnswer {
  const bytes = Buffer.from(content);
  return {
    httpStatus,
    headers: { ...safeHeaders, "Content-Type": contentType, ...headers },
    sizeBytes: bytes.length,
    chunks: () => [bytes],
  };
}

function html(httpStatus: number, content: string): WebAnswer {
  return text(httpStatus, "text/html; charset=utf-8", content);
}

function notFound(): WebAnswer {
  return html(404, notFoundPage());
}

function redirect(location: string, cookie?: string): WebAnswer {
  return text(303, "text/plain; charset=utf-8", "", {
    Location: location,
    ...(cookie === undefined ? {} : { "Set-Cookie": cookie }),
  });
}

function challenge(): WebAnswer {
  return text(401, "text/plain; charset=utf-8", "", { "WWW-Authenticate": `Basic realm="Mail"` });
}
