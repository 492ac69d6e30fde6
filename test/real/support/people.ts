/** Who has a mailbox on the real server. */
export const DOMAIN = "postern.test";

export interface Person {
  /** What the person logs in with. */
  readonly name: string;
  readonly fullName: string;
  readonly address: string;
  readonly password: string;
}

export type PersonName = "alice" | "bob";

export const people: Readonly<Record<PersonName, Person>> = {
  alice: { name: "alice", fullName: "Alice Archer", address: `alice@${DOMAIN}`, password: "alice-Pw-1" },
  bob: { name: "bob", fullName: "Bob Baker", address: `bob@${DOMAIN}`, password: "bob-Pw-2" },
};
