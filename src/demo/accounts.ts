/** Who has a mailbox here, and which of the ways to write a login name means whom. */
import { createMailbox, type Mailbox } from "./mailbox.ts";
import type { Address } from "./message.ts";

export interface Account {
  readonly name: string;
  readonly displayName: string;
  readonly password: string;
  readonly address: Address;
  readonly mailbox: Mailbox;
}

export interface LoginDomain {
  /** What stands behind the @ of an address. */
  readonly mail: string;
  /** What stands before the \ of a Windows login. */
  readonly windows: string;
}

export interface Credential {
  readonly login: string;
  readonly password: string;
}

export type Accounts = ReturnType<typeof createAccounts>;

export function createAccounts(
  users: readonly { readonly name: string; readonly displayName: string; readonly password: string }[],
  domain: LoginDomain,
) {
  const byName = new Map<string, Account>();
  for (const { name, displayName, password } of users) {
    const address = { name: displayName, address: `${name}@${domain.mail}` };
    byName.set(name.toLowerCase(), { name, displayName, password, address, mailbox: createMailbox() });
  }

  /** `alice`, `CORP\alice` and `alice@demo.example`; letter case does not matter, as in Active Directory. */
  function find(login: string): Account | undefined {
    const lower = login.toLowerCase();
    const windows = `${domain.windows.toLowerCase()}\\`;
    const mail = `@${domain.mail.toLowerCase()}`;
    if (lower.startsWith(windows)) return byName.get(lower.slice(windows.length));
    if (lower.endsWith(mail)) return byName.get(lower.slice(0, -mail.length));
    return byName.get(lower);
  }

  return {
    all: (): readonly Account[] => [...byName.values()],
    find,

    authenticate(credential: Credential | undefined): Account | undefined {
      if (credential === undefined) return undefined;
      const account = find(credential.login);
      return account?.password === credential.password ? account : undefined;
    },

    /** Who gets mail for that address; undefined is somebody outside. */
    recipient(address: string): Account | undefined {
      const lower = address.toLowerCase();
      return byName.values().find((account) => account.address.address.toLowerCase() === lower);
    },
  };
}

export function readBasicCredential(authorization: string | undefined): Credential | undefined {
  const encoded = /^basic +(\S+)$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  return colon < 0 ? undefined : { login: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
