/** CSV as spreadsheets write it (RFC 4180), row by row, in bounded memory. */

export interface CsvRow {
  /** Of the line in which it begins, from 1. */
  readonly line: number;
  /** Undefined: the row cannot be read. */
  readonly cells: readonly string[] | undefined;
  readonly problem?: string;
}

/** Characters of a row; whatever is longer is no row, but a quote that was never closed. */
const ROW_LIMIT = 1_048_576;

/** @param separator a comma, a semicolon or a tab */
export async function* readCsv(chunks: AsyncIterable<string>, separator: string): AsyncGenerator<CsvRow> {
  let cells: string[] = [];
  let cell = "";
  let state: "start" | "plain" | "quoted" | "closed" = "start";
  let line = 1;
  let rowLine = 1;
  let length = 0;
  let problem: string | undefined;
  let wasReturn = false;

  const endCell = (): void => {
    cells.push(cell);
    cell = "";
    state = "start";
  };
  const endRow = (): CsvRow | undefined => {
    endCell();
    const isEmpty = cells.length === 1 && cells[0] === "";
    const row: CsvRow = problem === undefined ? { line: rowLine, cells } : { line: rowLine, cells: undefined, problem };
    cells = [];
    length = 0;
    const wasProblem = problem;
    problem = undefined;
    return isEmpty && wasProblem === undefined ? undefined : row;
  };

  let isFirst = true;
  for await (const chunk of chunks) {
    for (const letter of isFirst ? chunk.replace(/^\uFEFF/, "") : chunk) {
      const isAfterReturn = wasReturn;
      wasReturn = false;
      length += 1;
      if (length > ROW_LIMIT) {
        problem ??= `the row is longer than ${ROW_LIMIT} characters: a quote was not closed`;
        // From the next line on it is looked at anew.
        state = "plain";
        cell = "";
        cells = [];
        length = 0;
      }
      if (state === "quoted") {
        if (letter === '"') state = "closed";
        else {
          cell += letter;
          if (letter === "\n") line += 1;
        }
      } else if (letter === "\n" || letter === "\r") {
        wasReturn = letter === "\r";
        if (isAfterReturn && letter === "\n") {
          rowLine = line;
          continue;
        }
        const row = endRow();
        line += 1;
        if (row !== undefined) yield row;
        rowLine = line;
      } else if (letter === separator) endCell();
      else if (letter === '"' && state === "start") state = "quoted";
      else if (letter === '"' && state === "closed") {
        cell += '"';
        state = "quoted";
      } else {
        if (state === "closed") problem ??= "something stands behind a closing quote";
        cell += letter;
        if (state === "start") state = "plain";
      }
    }
    isFirst = false;
  }
  if (state === "quoted") problem ??= "a quote was not closed";
  if (cells.length > 0 || cell !== "" || problem !== undefined) {
    const row = endRow();
    if (row !== undefined) yield row;
  }
}
