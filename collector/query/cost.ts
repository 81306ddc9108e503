import { LIST_CURRENCY } from "../model/price.ts";
import { type Fragment, sql } from "./sql.ts";

export { LIST_CURRENCY };

/** What a group of calls cost; NULL where they are charged in several currencies: a sum over those is no amount. */
export const COST_AMOUNT: Fragment = sql`CASE WHEN count(DISTINCT cost_currency) <= 1 THEN sum(cost_amount) END`;

/** The currency of COST_AMOUNT; `mixed` for several. */
export const COST_CURRENCY: Fragment = sql`CASE WHEN count(DISTINCT cost_currency) > 1 THEN 'mixed' ELSE min(cost_currency) END`;

const CURRENCY = sql`coalesce(cost_currency, ${LIST_CURRENCY}::text)`;

/** What a group of calls cost in one currency: amounts of others are no part of it. */
export const costIn = (currency: string): Fragment => sql`coalesce(sum(cost_amount) FILTER (WHERE ${CURRENCY} = ${currency}::text), 0)`;

/** The other currencies in which calls of the group are charged, an array of text; NULL for none. */
export const currenciesBeside = (currency: string): Fragment =>
  sql`array_agg(DISTINCT ${CURRENCY}) FILTER (WHERE cost_amount IS NOT NULL AND ${CURRENCY} <> ${currency}::text)`;

/** SQL of a call that used tokens which nobody could put a price on: it is in no cost. What the application took from its own cache is not billed. */
export const UNPRICED_SQL = "cost_amount IS NULL AND tokens_total > 0 AND cached IS NOT TRUE";
export const IS_UNPRICED: Fragment = { texts: [UNPRICED_SQL], values: [] };
