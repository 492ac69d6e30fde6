/** Who has a mailbox on the real server. */
export const DOMAIN = "postern.test";

export interface Person {
  /** What the person logs in with. */
  readonly name: string;
  readonly fullName: string;
  readonly address: string;
  readonly password: string;
}

export type PersonName = "alice" | "bob" | "carol";

export const people: Readonly<Record<PersonName, Person>> = {
  alice: { name: "alice", fullName: "Alice Archer", address: `alice@${DOMAIN}`, password: "alice-Pw-1" },
  bob: { name: "bob", fullName: "Bob Baker", address: `bob@${DOMAIN}`, password: "bob-Pw-2" },
  /** Has written to the others, and begins with an empty Inbox. */
  carol: { name: "carol", fullName: "Carol Clerk", address: `carol@${DOMAIN}`, password: "carol-Pw-3" },
};
