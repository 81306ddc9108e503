import type { Sql, TransactionSql } from "postgres";
import { atTier, costOf, type Price, type PriceBook, specialTier } from "../../model/price.ts";
import { audit } from "../audit.ts";
import { markUsage } from "../usage-marks.ts";
import type { CommandContext } from "./change.ts";

export interface Repricing {
  readonly prices: PriceBook;
  /** ISO 8601; calls that began before are left as they are. */
  readonly from: string;
  readonly to: string;
  /** Only this model, as it was asked for or as it answered. */
  readonly model?: string;
  /** Counts without changing anything. */
  readonly dryRun: boolean;
}

export interface RepricingReport {
  /** Calls whose cost genspan works out, or would if it had a price. */
  readonly examined: number;
  readonly changed: number;
  /** Of the examined ones: those without a price before and after. */
  readonly unpriced_before: number;
  readonly unpriced_after: number;
}

interface PricedCall {
  readonly trace_id: string;
  readonly span_id: string;
  readonly start_text: string;
  readonly start_ms: number;
  readonly provider_name: string | null;
  readonly model_name: string | null;
  readonly response_model: string | null;
  readonly tokens_prompt: string | null;
  readonly tokens_completion: string | null;
  readonly tokens_cache_read: string | null;
  readonly tokens_cache_write: string | null;
  /** What the price hangs on besides the columns (dialects/service-tier.ts). */
  readonly tokens_cache_write_1h: string | null;
  readonly service_tier: string | null;
  readonly tokens_estimated: boolean;
  /** That the model drew, among the call's outputs. */
  readonly images: number;
  readonly cost_amount: string | null;
  readonly cost_currency: string | null;
}

const BATCH = 1_000;

/** Works the cost out anew of calls whose cost was not sent with them, by today's price table, each at the price of its own time. */
export async function repriceCalls(context: CommandContext, repricing: Repricing): Promise<RepricingReport> {
  const { writer, projectId, actor } = context;
  const report = { examined: 0, changed: 0, unpriced_before: 0, unpriced_after: 0 };
  let after: PricedCall | undefined;
  for (;;) {
    const calls = await readBatch(writer.sql, { schema: writer.schema, projectId, repricing, after });
    if (calls.length === 0) break;
    after = calls.at(-1);
    const priced = calls.map((call) => ({ call, ...newCost(call, repricing.prices) }));
    const changed = priced.filter(({ call, amount, currency }) => differs(call, amount, currency));
    report.examined += calls.length;
    report.changed += changed.length;
    report.unpriced_before += calls.filter(({ cost_amount }) => cost_amount === null).length;
    report.unpriced_after += priced.filter(({ amount }) => amount === undefined).length;
    if (!repricing.dryRun && changed.length > 0)
      await writer.sql.begin((tx) => writeCosts(tx, { schema: writer.schema, projectId, changed }));
  }
  if (!repricing.dryRun) {
    const { from, to, model } = repricing;
    await writer.sql.begin((tx) =>
      audit(tx, writer.schema, { projectId, actor, action: "generation.reprice", details: { from, to, model: model ?? null, ...report } }),
    );
  }
  return report;
}

interface BatchInput {
  readonly schema: string;
  readonly projectId: number;
  readonly repricing: Repricing;
  readonly after: PricedCall | undefined;
}

const readBatch = (sql: Sql, { schema, projectId, repricing, after }: BatchInput): Promise<PricedCall[]> =>
  sql<PricedCall[]>`
    SELECT trace_id, span_id, start_time::text AS start_text, (extract(epoch FROM start_time) * 1000)::float8 AS start_ms, provider_name, model_name,
      response_model, tokens_prompt, tokens_completion, tokens_cache_read, tokens_cache_write,
      additional_metadata->>'tokens_cache_write_1h' AS tokens_cache_write_1h, additional_metadata->>'service_tier' AS service_tier, cost_amount, cost_currency,
      coalesce(additional_metadata->>'tokens_estimated' = 'true', false) AS tokens_estimated, drawn.images
    FROM ${sql(schema)}.generation_logs g CROSS JOIN LATERAL (
      SELECT count(*)::int AS images FROM ${sql(schema)}.outputs o WHERE o.project_id = g.project_id AND o.trace_id = g.trace_id AND o.span_id = g.span_id
        AND o.start_time = g.start_time AND o.direction = 'output' AND o.modality = 'image') AS drawn
    WHERE project_id = ${projectId} AND start_time >= ${repricing.from}::text::timestamptz AND start_time < ${repricing.to}::text::timestamptz
      AND coalesce(cost_source, 'computed') = 'computed'
      AND (additional_metadata->>'tokens_estimated' IS DISTINCT FROM 'true' AND (tokens_prompt IS NOT NULL OR tokens_completion IS NOT NULL) OR drawn.images > 0)
      ${repricing.model === undefined ? sql`` : sql`AND (model_name = ${repricing.model} OR response_model = ${repricing.model})`}
      ${after === undefined ? sql`` : sql`AND start_time >= ${after.start_text}::text::timestamptz AND (start_time, trace_id, span_id) > (${after.start_text}::text::timestamptz, ${after.trace_id}, ${after.span_id})`}
    ORDER BY start_time, trace_id, span_id LIMIT ${BATCH}`;

const count = (text: string | null): number | undefined => (text === null ? undefined : Number(text));

interface Cost {
  readonly amount: number | undefined;
  readonly currency: string | undefined;
}

/** The model that answered is the one that is billed; the one that was asked for stands in. */
function newCost(call: PricedCall, prices: PriceBook): Cost {
  const provider = call.provider_name ?? undefined;
  const tier = specialTier(call.service_tier ?? undefined);
  const found = [call.response_model, call.model_name]
    .filter((model) => model !== null)
    .map((model): Price | undefined => prices.find(provider, atTier(model, tier), call.start_ms))
    .find((price) => price !== undefined);
  if (found === undefined) return { amount: undefined, currency: undefined };
  const charged = (tokens: string | null): number | undefined => (call.tokens_estimated ? undefined : count(tokens));
  const amount = costOf(
    {
      prompt: charged(call.tokens_prompt),
      completion: charged(call.tokens_completion),
      cacheRead: charged(call.tokens_cache_read),
      cacheWrite: charged(call.tokens_cache_write),
      cacheWriteHour: charged(call.tokens_cache_write_1h),
      images: call.images,
    },
    found,
  );
  return { amount, currency: amount === undefined ? undefined : found.currency };
}

const differs = (call: PricedCall, amount: number | undefined, currency: string | undefined): boolean =>
  amount !== count(call.cost_amount) || (currency ?? null) !== call.cost_currency;

interface Writing {
  readonly schema: string;
  readonly projectId: number;
  readonly changed: readonly ({ readonly call: PricedCall } & Cost)[];
}

async function writeCosts(tx: TransactionSql, { schema, projectId, changed }: Writing): Promise<void> {
  await tx`
    UPDATE ${tx(schema)}.generation_logs t
    SET cost_amount = g.amount::numeric, cost_currency = g.currency, cost_source = CASE WHEN g.amount IS NULL THEN NULL ELSE 'computed' END, updated_at = clock_timestamp()
    FROM unnest(${changed.map(({ call }) => call.trace_id)}::text[], ${changed.map(({ call }) => call.span_id)}::text[],
      ${changed.map(({ call }) => call.start_text)}::text[], ${changed.map(({ amount }) => (amount === undefined ? null : String(amount)))}::text[],
      ${changed.map(({ currency }) => currency ?? null)}::text[]) AS g (trace_id, span_id, start_text, amount, currency)
    WHERE t.project_id = ${projectId} AND t.trace_id = g.trace_id AND t.span_id = g.span_id AND t.start_time = g.start_text::timestamptz
      AND coalesce(t.cost_source, 'computed') = 'computed'`;
  await markUsage(tx, schema, { projectId, startMillis: changed.map(({ call }) => call.start_ms) });
}
