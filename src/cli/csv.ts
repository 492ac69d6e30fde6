/** Rows for a spreadsheet, as RFC 4180 writes them. What is in a record came from a phone or from its owner. */

/** Spreadsheets take a cell that begins with one of these for a formula, the full-width forms among them. */
const formula = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

export function csvRow(cells: readonly (string | undefined)[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

/** Quoted always: nothing then depends on what the reading program takes for a separator. */
function csvCell(text = ""): string {
  const harmless = formula.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""').replaceAll("\0", "")}"`;
}
