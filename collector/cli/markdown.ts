/** A cell of a Markdown table: one line, and no character that would end the cell or begin HTML. */
const cell = (text: string): string =>
  text
    .replace(/[\\|<>`]/g, "\\$&")
    .replace(/\r?\n|\r/g, "<br>")
    .replace(/\p{Control}/gu, "�");

export const markdownLine = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |\n`;

export const markdownHeader = (columns: readonly string[]): string => `${markdownLine(columns)}|${" --- |".repeat(columns.length)}\n`;
