/** What somebody meant to write. */

/** Candidates are compared without case and without the separators by which people spell words together. */
export function nearest(written: string, candidates: readonly string[]): string | undefined {
  // A text this long is no misspelt key, and the comparison takes time in the square of its length.
  if (written.length > 80) return undefined;
  const plain = simplify(written);
  const scored = candidates
    .map((candidate) => ({ candidate, distance: editDistance(plain, simplify(candidate)) }))
    .filter(({ candidate, distance }) => distance <= slips(candidate))
    .toSorted((a, b) => a.distance - b.distance);
  return scored[0]?.candidate;
}

/** How many slips still leave no doubt about what was meant. */
function slips(word: string): number {
  return Math.min(3, Math.max(1, Math.floor(simplify(word).length / 4)));
}

function simplify(word: string): string {
  return word.toLowerCase().replaceAll(/[-_]/g, "");
}

/** Insertions, deletions, replacements, and swaps of two neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = at(last, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const swapped = isSwap ? at(beforeLast, column - 2) + 1 : Infinity;
      current.push(Math.min(at(last, column) + 1, at(current, column - 1) + 1, replaced, swapped));
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
