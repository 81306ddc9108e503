import type { Sql } from "postgres";
import type { Price } from "../model/price.ts";
import type { Reader } from "./reader.ts";
import { sql as question } from "./sql.ts";

type Row = Readonly<Record<string, unknown>>;

const number = (value: unknown): number | undefined => (value === null ? undefined : Number(value));

const priceOf = (row: Row): Price => ({
  provider: String(row["provider_name"]),
  model: String(row["model_name"]),
  validFrom: Number(row["valid_from_ms"]),
  currency: String(row["currency"]),
  input: number(row["input_per_million"]),
  output: number(row["output_per_million"]),
  cacheRead: number(row["cache_read_per_million"]),
  cacheWrite: number(row["cache_write_per_million"]),
  imageEach: number(row["image_each"]),
});

/** The prices that people of one project entered. */
export const readProjectPrices = (reader: Reader, projectId: number): Promise<Price[]> =>
  reader.read({ projectId }, async (ask) => {
    const rows = await ask<Row>(question`
      SELECT provider_name, model_name, (extract(epoch FROM valid_from) * 1000)::float8 AS valid_from_ms, currency, input_per_million, output_per_million,
        cache_read_per_million, cache_write_per_million, image_each FROM model_prices WHERE project_id = ${projectId}`);
    return rows.map(priceOf);
  });

/** The prices that people entered, by project. */
export async function readPrices(sql: Sql, schema: string): Promise<Map<number, Price[]>> {
  const rows = await sql`
    SELECT project_id, provider_name, model_name, extract(epoch FROM valid_from) * 1000 AS valid_from_ms, currency,
      input_per_million, output_per_million, cache_read_per_million, cache_write_per_million, image_each
    FROM ${sql(schema)}.model_prices`;
  const prices = new Map<number, Price[]>();
  for (const row of rows) {
    const price = priceOf(row);
    const projectId = Number(row["project_id"]);
    prices.set(projectId, [...(prices.get(projectId) ?? []), price]);
  }
  return prices;
}
