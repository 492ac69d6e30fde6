/** Figures by a word that records bring along, such as a region: as many words as people read, and the rest together. */

/** How many phones of one sort there are, and what becomes of them. */
export interface Figures {
  concerned: number;
  clean: number;
  warned: number;
  /** Now or at a deadline. */
  cut: number;
}

export interface NamedFigures extends Figures {
  readonly name: string;
}

/** Phones whose record does not say it. */
const NOT_SAID = "not said";
/** Phones of the words that found no place any more. */
export const OTHERS = "others";

export interface BoundedCounts {
  of(word: string | undefined): Figures;
  /** Those with the most cut phones first. */
  list(): readonly NamedFigures[];
  /** Everything that was counted, in the order in which the words came. */
  part(): CountsPart;
  /** Adds what was counted elsewhere, as if it had been counted here. */
  merge(part: CountsPart): void;
}

/** Plain data, for another thread. */
export interface CountsPart {
  readonly words: readonly NamedFigures[];
  readonly rest: Figures;
}

export function createBoundedCounts(limit: number): BoundedCounts {
  const byWord = new Map<string, NamedFigures>();
  const rest = { name: OTHERS, ...noFigures() };

  function of(word = NOT_SAID): Figures {
    const known = byWord.get(word);
    if (known !== undefined) return known;
    if (byWord.size >= limit) return rest;
    const figures = { name: word, ...noFigures() };
    byWord.set(word, figures);
    return figures;
  }

  return {
    of,
    list(): readonly NamedFigures[] {
      const named = [...byWord.values()];
      named.sort((a, b) => b.cut - a.cut || b.concerned - a.concerned || (a.name < b.name ? -1 : 1));
      return rest.concerned === 0 ? named : [...named, rest];
    },
    part: () => ({ words: [...byWord.values()], rest }),
    merge(part): void {
      for (const figures of part.words) addFigures(of(figures.name), figures);
      addFigures(rest, part.rest);
    },
  };
}

export function noFigures(): Figures {
  return { concerned: 0, clean: 0, warned: 0, cut: 0 };
}

export function addFigures(to: Figures, more: Figures): void {
  to.concerned += more.concerned;
  to.clean += more.clean;
  to.warned += more.warned;
  to.cut += more.cut;
}
