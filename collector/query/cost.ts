import { type Fragment, sql } from "./sql.ts";

/** What a group of calls cost; NULL where they are charged in several currencies: a sum over those is no amount. */
export const COST_AMOUNT: Fragment = sql`CASE WHEN count(DISTINCT cost_currency) <= 1 THEN sum(cost_amount) END`;

/** The currency of COST_AMOUNT; `mixed` for several. */
export const COST_CURRENCY: Fragment = sql`CASE WHEN count(DISTINCT cost_currency) > 1 THEN 'mixed' ELSE min(cost_currency) END`;

/** SQL of a call that used tokens which nobody could put a price on: it is in no cost. What the application took from its own cache is not billed. */
export const UNPRICED_SQL = "cost_amount IS NULL AND tokens_total > 0 AND cached IS NOT TRUE";
export const IS_UNPRICED: Fragment = { texts: [UNPRICED_SQL], values: [] };
