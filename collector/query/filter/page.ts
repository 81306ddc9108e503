import { isoTime } from "../exact.ts";
import type { Ask } from "../reader.ts";
import { type Fragment, list, sql } from "../sql.ts";
import { conditionsOf, orderOf } from "./conditions.ts";
import { writeCursor } from "./cursor.ts";
import type { Filter } from "./parse.ts";

/** One page of a list. `next` is the cursor of the page behind it; null at the end. */
export interface Page<Row> {
  readonly data: readonly Row[];
  readonly next: string | null;
}

/** What marks a row's place; taken off before it is handed on. */
interface Placed {
  readonly "@value": string | null;
  readonly "@time": string;
  readonly "@identity": string[];
}

export interface PageInput {
  readonly projectId: number;
  readonly filter: Filter;
  /** What is shown of each row; evaluated for the rows of the page alone. */
  readonly columns: Fragment;
}

/** Reads one page: rows behind the cursor, in the filter's order. */
export async function readPage<Row>(ask: Ask, input: PageInput): Promise<Page<Row>> {
  const newest = newestPart(input.filter);
  if (newest === undefined) return pageOf(await readRows<Row>(ask, input), input.filter);
  const found = await readRows<Row>(ask, { ...input, filter: newest });
  if (found.length > input.filter.limit) return pageOf(found, input.filter);
  await ask(sql`SELECT set_config('parallel_setup_cost', '0', true), set_config('parallel_tuple_cost', '0.01', true)`);
  return pageOf(await readRows<Row>(ask, { ...input, together: true }), input.filter);
}

/** Beyond this a search goes on row by row, newest first: most words fill a page long before the end. */
const MAX_TOGETHER_MS = 2 * 86_400_000;
const NEWEST_SHARE = 1 / 12;

/**
 * What is looked through first where words are searched in a day or two: no index knows them. A frequent one fills the page from the newest part;
 * for a rare one the whole range must be read, which several workers of the database then do together.
 */
function newestPart(filter: Filter): Filter | undefined {
  const { from, to, after, sort, words } = filter;
  if (from === undefined || words.length === 0 || sort.by !== "time" || !sort.descending) return undefined;
  const end = Math.min(Date.now(), ...[to, after?.time].flatMap((time) => (time === undefined ? [] : [Date.parse(isoTime(time))])));
  const length = end - Date.parse(from);
  if (!(length > 0 && length <= MAX_TOGETHER_MS)) return undefined;
  return { ...filter, from: new Date(end - length * NEWEST_SHARE).toISOString() };
}

/** `together`: all rows are found before they are sorted, in whatever order is fastest. */
async function readRows<Row>(ask: Ask, { projectId, filter, columns, together = false }: PageInput & { readonly together?: boolean }) {
  const { noun, sort } = filter;
  const { behind, order } = orderOf(filter);
  const value = sort.by === "time" ? sql`NULL` : (noun.sorts[sort.by]?.expression ?? sql`NULL`);
  const found = sql`SELECT * FROM ${noun.from} WHERE project_id = ${projectId} AND (${conditionsOf(filter)}) AND (${behind})`;
  return ask<Row & Placed>(sql`
    SELECT ${columns}, (${value})::text AS "@value", ${noun.time}::text AS "@time", ARRAY[${list(noun.identity)}]::text[] AS "@identity"
    FROM (
      ${together ? sql`SELECT * FROM (${found} OFFSET 0) AS found` : found} ORDER BY ${order} LIMIT ${filter.limit + 1}
    ) AS page ORDER BY ${order}`);
}

function pageOf<Row>(rows: readonly (Row & Placed)[], { noun, sort, limit }: Filter): Page<Row> {
  const data = rows.slice(0, limit);
  const last = rows.length > limit ? data.at(-1) : undefined;
  const next =
    last === undefined ? null : writeCursor({ value: last["@value"], time: last["@time"], identity: last["@identity"] }, { noun, sort });
  return { data: data.map(withoutPlace), next };
}

function withoutPlace<Row>(row: Row & Placed): Row {
  const { "@value": _value, "@time": _time, "@identity": _identity, ...rest } = row;
  return rest as unknown as Row;
}
