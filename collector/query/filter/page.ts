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
export async function readPage<Row>(ask: Ask, { projectId, filter, columns }: PageInput): Promise<Page<Row>> {
  const { noun, sort } = filter;
  const { behind, order } = orderOf(filter);
  const value = sort.by === "time" ? sql`NULL` : (noun.sorts[sort.by]?.expression ?? sql`NULL`);
  const rows = await ask<Row & Placed>(sql`
    SELECT ${columns}, (${value})::text AS "@value", ${noun.time}::text AS "@time", ARRAY[${list(noun.identity)}]::text[] AS "@identity"
    FROM (
      SELECT * FROM ${noun.from} WHERE project_id = ${projectId} AND (${conditionsOf(filter)}) AND (${behind})
      ORDER BY ${order} LIMIT ${filter.limit + 1}
    ) AS page ORDER BY ${order}`);
  const data = rows.slice(0, filter.limit);
  const last = rows.length > filter.limit ? data.at(-1) : undefined;
  const next =
    last === undefined ? null : writeCursor({ value: last["@value"], time: last["@time"], identity: last["@identity"] }, { noun, sort });
  return { data: data.map(withoutPlace), next };
}

function withoutPlace<Row>(row: Row & Placed): Row {
  const { "@value": _value, "@time": _time, "@identity": _identity, ...rest } = row;
  return rest as unknown as Row;
}
