/** What a browser gets to see: the list, one message, the login form. No scripts, nothing from elsewhere. */
import type { Account } from "./accounts.ts";
import { folderClass, folderTypes, type Folder } from "./folder.ts";
import type { MailItem, Mailbox } from "./mailbox.ts";
import { displayName, escapeHtml, type Address } from "./message.ts";

const time = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  timeZone: "UTC",
});

const PREVIEW_CHARACTERS = 140;

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="/mail/style.css">
</head>
<body>
${body}
</body>
</html>
`;
}

export function loginPage(failed: boolean): string {
  const complaint = failed ? `<p class="complaint" role="alert">That name and password do not go together.</p>` : "";
  return page(
    "Sign in · Mail",
    `<main class="login">
<h1>Mail</h1>
<p>Sign in with your company account.</p>
${complaint}
<form method="post" action="/mail/login">
<label>Name <input name="login" autocomplete="username" autocapitalize="none" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button>
</form>
</main>`,
  );
}

export function listPage(account: Account, folder: Folder): string {
  const items = mailItems(account.mailbox, folder.id);
  const rows = items.map(row).join("\n");
  const list = items.length === 0 ? `<p class="empty">Nothing here.</p>` : `<ol class="messages">\n${rows}\n</ol>`;
  return frame(account, folder, `${folder.name} · Mail`, `<h1>${escapeHtml(folder.name)}</h1>\n${list}`);
}

export function messagePage(account: Account, folder: Folder, { id, message }: MailItem): string {
  const attachments = message.attachments.map(({ name, sizeBytes }, index) => {
    const href = `/mail/message/${id}/attachment/${index}`;
    return `<li><a href="${href}" download>${escapeHtml(name)}</a> <span>${formatSize(sizeBytes)}</span></li>`;
  });
  const files = attachments.length === 0 ? "" : `<ul class="files">${attachments.join("")}</ul>`;
  const important = message.importance === "high" ? `<p class="important">Marked as important</p>` : "";
  return frame(
    account,
    folder,
    `${message.subject} · Mail`,
    `<article>
<p class="back"><a href="/mail/?folder=${folder.id}">← ${escapeHtml(folder.name)}</a></p>
<h1>${escapeHtml(message.subject)}</h1>
<header>
${avatar(message.from)}
<div>
<p><strong>${escapeHtml(displayName(message.from))}</strong> <span>${escapeHtml(message.from.address)}</span></p>
<p>to ${escapeHtml([...message.to, ...message.cc].map(displayName).join(", "))}</p>
</div>
<time datetime="${message.receivedAt.toISOString()}">${time.format(message.receivedAt)} UTC</time>
</header>
${important}
<div class="text">${escapeHtml(message.text)}</div>
${files}
</article>`,
  );
}

export function notFoundPage(): string {
  return page(
    "Not found · Mail",
    `<main class="login"><h1>Not here</h1><p><a href="/mail/">Back to the inbox</a></p></main>`,
  );
}

function frame(account: Account, current: Folder, title: string, content: string): string {
  const folders = account.mailbox
    .folders()
    .filter((folder) => folderClass(folder) === "Email")
    .sort((a, b) => rank(a) - rank(b));
  const links = folders.map((folder) => {
    const unread = mailItems(account.mailbox, folder.id).filter(({ read }) => !read).length;
    const badge = unread === 0 ? "" : ` <span class="badge" aria-label="${unread} unread">${unread}</span>`;
    const here = folder.id === current.id ? ` aria-current="page"` : "";
    return `<li><a href="/mail/?folder=${folder.id}"${here}>${escapeHtml(folder.name)}${badge}</a></li>`;
  });
  return page(
    title,
    `<header class="top">
<strong>Mail</strong>
<span>${escapeHtml(account.displayName)}</span>
<form method="post" action="/mail/logout"><button>Sign out</button></form>
</header>
<div class="columns">
<nav aria-label="Folders"><ul>${links.join("")}</ul></nav>
<main>
${content}
</main>
</div>`,
  );
}

const folderOrder: readonly number[] = [
  folderTypes.inbox,
  folderTypes.userMail,
  folderTypes.drafts,
  folderTypes.sent,
  folderTypes.outbox,
  folderTypes.deleted,
];

function rank({ type }: Folder): number {
  return folderOrder.indexOf(type);
}

/** The newest first. */
function mailItems(mailbox: Mailbox, folderId: string): readonly MailItem[] {
  return mailbox
    .items(folderId)
    .filter((item) => item.kind === "mail")
    .sort((a, b) => b.message.receivedAt.getTime() - a.message.receivedAt.getTime());
}

function row({ id, message, read }: MailItem): string {
  const preview = message.text.replaceAll(/\s+/g, " ").slice(0, PREVIEW_CHARACTERS);
  const files = message.attachments.length;
  const clip = files === 0 ? "" : ` <span class="clip">${files === 1 ? "1 file" : `${files} files`}</span>`;
  return `<li${read ? "" : ` class="unread"`}><a href="/mail/message/${id}">
${avatar(message.from)}
<span class="from">${escapeHtml(displayName(message.from))}</span>
<time datetime="${message.receivedAt.toISOString()}">${time.format(message.receivedAt)}</time>
<span class="subject">${escapeHtml(message.subject)}${clip}</span>
<span class="preview">${escapeHtml(preview)}</span>
</a></li>`;
}

const AVATAR_COLOURS = 6;

function avatar(address: Address): string {
  const name = displayName(address);
  const initials = name
    .split(/[\s.@-]+/)
    .slice(0, 2)
    .map((word) => word.slice(0, 1).toUpperCase())
    .join("");
  let sum = 0;
  for (const letter of address.address) sum += letter.codePointAt(0) ?? 0;
  return `<span class="avatar colour-${sum % AVATAR_COLOURS}" aria-hidden="true">${escapeHtml(initials)}</span>`;
}

function formatSize(bytes: number): string {
  if (bytes >= 1024 * 1024) return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  return bytes >= 1024 ? `${Math.round(bytes / 1024)} KB` : `${bytes} bytes`;
}

export const styleSheet = `
:root { color-scheme: light dark; --line: #d9dee6; --quiet: #5b6675; --paper: #fff; --back: #f3f5f8; --ink: #17202b; --mark: #1b5fc1; --alarm: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --line: #2d3642; --quiet: #9aa7b6; --paper: #161c24; --back: #0e1319; --ink: #e7ecf2; --mark: #7eb0ff; --alarm: #ff8f86; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
a { color: var(--mark); }
button { font: inherit; padding: .45rem 1rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--paper); color: inherit; cursor: pointer; }
.top { display: flex; align-items: center; gap: 1rem; padding: .75rem 1.25rem; background: var(--paper); border-bottom: 1px solid var(--line); }
.top strong { font-size: 1.15rem; margin-right: auto; }
.top span { color: var(--quiet); }
.columns { display: grid; grid-template-columns: 14rem minmax(0, 1fr); max-width: 72rem; margin: 0 auto; }
nav { padding: 1.25rem .5rem; }
nav ul { list-style: none; margin: 0; padding: 0; display: grid; gap: .15rem; }
nav a { display: flex; justify-content: space-between; gap: .5rem; padding: .4rem .8rem; border-radius: .5rem; color: inherit; text-decoration: none; white-space: nowrap; }
nav a[aria-current] { background: var(--paper); font-weight: 600; box-shadow: 0 0 0 1px var(--line); }
.badge { color: var(--mark); font-weight: 600; }
main { padding: 1.25rem; min-width: 0; }
h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
.messages { list-style: none; margin: 0; padding: 0; background: var(--paper); border: 1px solid var(--line); border-radius: .75rem; overflow: hidden; }
.messages li + li { border-top: 1px solid var(--line); }
.messages a { display: grid; grid-template: "avatar from time" "avatar subject subject" "avatar preview preview" / 2.75rem minmax(0, 1fr) auto; column-gap: .75rem; padding: .75rem 1rem; color: inherit; text-decoration: none; }
.messages a:hover, .messages a:focus-visible { background: var(--back); }
.messages .avatar { grid-area: avatar; align-self: center; }
.messages .subject, .messages .preview, .messages .from { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.from { grid-area: from; }
.subject { grid-area: subject; }
.preview { grid-area: preview; color: var(--quiet); font-size: .925rem; }
time { color: var(--quiet); font-size: .875rem; white-space: nowrap; }
.messages time { grid-area: time; }
.clip { margin-left: .4rem; padding: 0 .45rem; border: 1px solid var(--line); border-radius: 1rem; color: var(--quiet); font-size: .8rem; font-weight: 400; }
.unread .from, .unread .subject { font-weight: 650; }
.unread .subject::before { content: ""; display: inline-block; width: .55rem; height: .55rem; margin-right: .45rem; border-radius: 50%; background: var(--mark); }
.avatar { display: grid; place-items: center; width: 2.5rem; height: 2.5rem; border-radius: 50%; color: #fff; font-size: .875rem; font-weight: 600; }
.colour-0 { background: #1b5fc1; } .colour-1 { background: #0f766e; } .colour-2 { background: #a33b6f; }
.colour-3 { background: #8a5a0b; } .colour-4 { background: #5a4fcf; } .colour-5 { background: #4d6b1e; }
article { padding: 1.5rem; background: var(--paper); border: 1px solid var(--line); border-radius: .75rem; }
article header { display: flex; gap: .75rem; align-items: center; padding-bottom: 1rem; border-bottom: 1px solid var(--line); }
article header div { flex: 1; min-width: 0; overflow-wrap: anywhere; }
article header p { margin: 0; }
article header p + p, article header span:not(.avatar) { color: var(--quiet); font-size: .925rem; }
.back { margin: 0 0 .75rem; }
.important { margin: 1rem 0 0; color: var(--alarm); font-weight: 600; }
.text { padding: 1.25rem 0; white-space: pre-wrap; overflow-wrap: anywhere; max-width: 44rem; }
.files { list-style: none; margin: 0; padding: 1rem 0 0; border-top: 1px solid var(--line); }
.files span, .empty { color: var(--quiet); }
.login { max-width: 24rem; margin: 12vh auto 0; padding: 2rem; background: var(--paper); border: 1px solid var(--line); border-radius: .75rem; }
.login form { display: grid; gap: 1rem; }
.login label { display: grid; gap: .25rem; font-weight: 600; }
.login input { font: inherit; padding: .55rem .7rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--back); color: inherit; }
.login button { background: var(--mark); border-color: transparent; color: var(--paper); font-weight: 600; }
.complaint { color: var(--alarm); }
@media (max-width: 44rem) {
  .columns { grid-template-columns: minmax(0, 1fr); }
  nav { padding: .75rem 1rem 0; overflow-x: auto; }
  nav ul { grid-auto-flow: column; justify-content: start; }
  main { padding: 1rem; }
  .login { margin: 0; border: 0; border-radius: 0; min-height: 100vh; }
  article { padding: 1rem; }
  article header { flex-wrap: wrap; }
}
`;
