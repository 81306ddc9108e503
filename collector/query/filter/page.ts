import { isoTime } from "../exact.ts";
import type { Ask } from "../reader.ts";
import { type Fragment, list, sql } from "../sql.ts";
import { conditionsOf, orderOf, rowConditionsOf } from "./conditions.ts";
import { writeCursor } from "./cursor.ts";
import type { SpanKey } from "./noun.ts";
import type { AttributeTerm, Filter } from "./parse.ts";

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
  const { filter } = input;
  const newest = newestPart(filter);
  if (newest === undefined) return pageOf(await readRows<Row>(ask, { ...input, where: conditionsOf(filter) }), filter);
  const found = await readRows<Row>(ask, { ...input, filter: newest, where: rowConditionsOf(await withSpans(ask, newest)) });
  if (found.length > filter.limit) return pageOf(found, filter);
  const older = { ...filter, to: newest.from, limit: filter.limit - found.length };
  const together = found.length / NEWEST_SHARE < 2 * filter.limit;
  const rest = together
    ? await readTogether<Row>(ask, { ...input, filter: older })
    : await readRows<Row>(ask, { ...input, filter: older, where: conditionsOf(older) });
  return pageOf([...found, ...rest], filter);
}

/** All rows are found before they are sorted; texts take so long that several workers of the database share them, however few rows they seem to be. */
async function readTogether<Row>(ask: Ask, input: PageInput): Promise<(Row & Placed)[]> {
  if (input.filter.words.length > 0)
    await ask(sql`SELECT set_config('parallel_setup_cost', '0', true), set_config('parallel_tuple_cost', '0.01', true)`);
  const filter = await withSpans(ask, input.filter);
  return readRows<Row>(ask, { ...input, filter, where: conditionsOf(filter), together: true });
}

/** Other conditions may leave few rows to look at: then none of this pays. */
const asksAttributesAlone = ({ noun, terms, words, attributes }: Filter): boolean =>
  noun.attributeSpans !== undefined && attributes.length > 0 && terms.length + words.length === 0;

const MAX_SPANS = 1_000;

/** Looks once for the spans that have an attribute, rather than for the span of each row; where there are many, rows are looked at one by one. */
async function withSpans(ask: Ask, filter: Filter): Promise<Filter> {
  if (!asksAttributesAlone(filter)) return filter;
  const attributes: AttributeTerm[] = [];
  for (const term of filter.attributes) {
    const having = filter.noun.attributeSpans?.(term.name, term.values, filter);
    const spans =
      having === undefined
        ? undefined
        : await ask<SpanKey>(sql`SELECT trace_id, span_id, start_time::text AS start_time FROM (${having} OFFSET 0) AS found
            ORDER BY found.start_time LIMIT ${MAX_SPANS + 1}`);
    attributes.push(spans === undefined || spans.length > MAX_SPANS ? term : { ...term, spans });
  }
  return { ...filter, attributes };
}

/** Beyond this a search goes on row by row, newest first: most words fill a page long before the end. */
const MAX_TOGETHER_MS = 2 * 86_400_000;
const NEWEST_SHARE = 1 / 24;

/**
 * What is looked through first where words or attributes are searched in a day or two: no index knows them, and words of this newest part have no
 * signatures yet. Frequent ones fill the page from it. Where it told of none or few, all that is older is read together.
 */
function newestPart(filter: Filter): (Filter & { readonly from: string }) | undefined {
  const { from, to, after, sort, words } = filter;
  if (from === undefined || !(words.length > 0 || asksAttributesAlone(filter)) || sort.by !== "time" || !sort.descending) return undefined;
  const end = Math.min(Date.now(), ...[to, after?.time].flatMap((time) => (time === undefined ? [] : [Date.parse(isoTime(time))])));
  const length = end - Date.parse(from);
  if (!(length > 0 && length <= MAX_TOGETHER_MS)) return undefined;
  return { ...filter, from: new Date(end - length * NEWEST_SHARE).toISOString() };
}

interface RowsInput extends PageInput {
  readonly where: Fragment;
  /** Rows are sorted after they were found, in whatever order is fastest. */
  readonly together?: boolean;
}

async function readRows<Row>(ask: Ask, { projectId, filter, columns, where, together = false }: RowsInput) {
  const { noun, sort } = filter;
  const { behind, order } = orderOf(filter);
  const value = sort.by === "time" ? sql`NULL` : (noun.sorts[sort.by]?.expression ?? sql`NULL`);
  const found = sql`SELECT * FROM ${noun.from} WHERE project_id = ${projectId} AND (${where}) AND (${behind})`;
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
