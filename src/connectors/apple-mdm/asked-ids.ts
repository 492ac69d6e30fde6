/**
 * Which apps a phone was asked about. Its answer does not say, and may come after the policy has changed, and to another node than the one
 * that asked: so the id of the command carries a digest of the question, and an answer to a question that nobody here knows proves no
 * absence. Known are those of all policies that this node has seen lately.
 */
import { createHash } from "node:crypto";

/** 32 questions: as many policies as may be in force while a phone lies in a drawer. */
const QUESTIONS_LIMIT = 32;

export interface Question {
  /** 16 hexadecimal digits. */
  readonly digest: string;
  /** To put to the phone: each id as the policy spells it, and as phones were seen to spell it. */
  readonly identifiers: readonly string[];
}

export interface AskedIds {
  /** The question about these apps. */
  question(appIds: readonly string[]): Question;
  /** What was asked, in lower case; undefined where nobody remembers. */
  askedBy(digest: string): readonly string[] | undefined;
  /** Apple compares ids with case, and policies are written without: how phones spell these apps is learnt from whole lists. */
  learn(appIds: readonly string[], seen: readonly string[]): void;
}

export function createAskedIds(): AskedIds {
  const questions = new Map<string, readonly string[]>();
  let spellings: ReadonlyMap<string, string> = new Map();

  return {
    question(appIds) {
      const lower = lowerCase(appIds);
      const digest = digestOf(lower);
      questions.delete(digest);
      questions.set(digest, lower);
      for (const oldest of questions.keys()) {
        if (questions.size <= QUESTIONS_LIMIT) break;
        questions.delete(oldest);
      }
      const learnt = lower.flatMap((id) => spellings.get(id) ?? []);
      return { digest, identifiers: [...new Set([...appIds, ...learnt])] };
    },
    askedBy: (digest) => questions.get(digest),
    learn(appIds, seen) {
      const wanted = new Set(lowerCase(appIds));
      const found = seen.filter((id) => wanted.has(id.toLowerCase())).map((id) => [id.toLowerCase(), id] as const);
      // What no rule speaks about any more is forgotten.
      spellings = new Map([...[...spellings].filter(([id]) => wanted.has(id)), ...found]);
    },
  };
}

function digestOf(appIds: readonly string[]): string {
  return createHash("sha256").update(lowerCase(appIds).join("\n")).digest("hex").slice(0, 16);
}

function lowerCase(appIds: readonly string[]): string[] {
  return [...new Set(appIds.map((id) => id.toLowerCase()))].toSorted();
}
