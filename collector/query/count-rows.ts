import type { Ask } from "./reader.ts";
import { type Fragment, sql } from "./sql.ts";

/** What is counted beside a page: more would take longer than the page itself. */
export const MAX_COUNTED = 10_000;

/** How many rows `from` (a table with its WHERE) has; null beyond MAX_COUNTED. */
export async function countRows(ask: Ask, from: Fragment): Promise<number | null> {
  const [counted] = await ask<{ n: number }>(sql`SELECT count(*)::int AS n FROM (SELECT FROM ${from} LIMIT ${MAX_COUNTED + 1}) AS counted`);
  const n = counted?.n ?? 0;
  return n > MAX_COUNTED ? null : n;
}
