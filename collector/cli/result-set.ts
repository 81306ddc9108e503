/** JSON as the database wrote it, so that no number in it loses a digit. */
export interface JsonText {
  readonly json: string;
}

/** One value of a result: exact numbers beyond 2^53, numeric, times and bytes are text. */
export type Cell = null | boolean | number | string | JsonText | readonly Cell[];

/** Rows of a command's output, read once, in batches, so that a large result needs no large memory. */
export interface ResultSet {
  readonly columns: readonly string[];
  readonly batches: AsyncIterable<readonly (readonly Cell[])[]>;
}

/** A small result that is already there. */
export const resultSet = (columns: readonly string[], rows: readonly (readonly Cell[])[]): ResultSet => ({
  columns,
  batches: (async function* () {
    if (rows.length > 0) yield rows;
  })(),
});

export const isJsonText = (cell: Cell): cell is JsonText => typeof cell === "object" && cell !== null && "json" in cell;

/** A cell as plain text: JSON for arrays and objects, nothing for NULL. */
export function cellText(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "object") return cellJson(cell);
  return String(cell);
}

/** A cell as JSON text. */
export function cellJson(cell: Cell): string {
  // NaN and the infinities are known values, for which JSON has no number.
  if (typeof cell === "number" && !Number.isFinite(cell)) return JSON.stringify(String(cell));
  if (cell === null || typeof cell !== "object") return JSON.stringify(cell);
  return isJsonText(cell) ? cell.json : `[${cell.map(cellJson).join(",")}]`;
}

/** A value of the API as a cell. */
export function cellOf(value: unknown): Cell {
  if (value === undefined || value === null) return null;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return { json: JSON.stringify(value) };
}

/** Names made distinct (`count`, `count_2`), since a JSON object keeps only one value per name. */
export function distinctNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let distinct = name;
    for (let n = 2; taken.has(distinct); n++) distinct = `${name}_${n}`;
    taken.add(distinct);
    return distinct;
  });
}
