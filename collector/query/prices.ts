import type { Sql } from "postgres";
import type { Price } from "../model/price.ts";

/** The prices that people entered, by project. */
export async function readPrices(sql: Sql, schema: string): Promise<Map<number, Price[]>> {
  const rows = await sql`
    SELECT project_id, provider_name, model_name, extract(epoch FROM valid_from) * 1000 AS valid_from_ms, currency,
      input_per_million, output_per_million, cache_read_per_million, cache_write_per_million
    FROM ${sql(schema)}.model_prices`;
  const number = (value: unknown): number | undefined => (value === null ? undefined : Number(value));
  const prices = new Map<number, Price[]>();
  for (const row of rows) {
    const price: Price = {
      provider: String(row["provider_name"]),
      model: String(row["model_name"]),
      validFrom: Number(row["valid_from_ms"]),
      currency: String(row["currency"]),
      input: number(row["input_per_million"]),
      output: number(row["output_per_million"]),
      cacheRead: number(row["cache_read_per_million"]),
      cacheWrite: number(row["cache_write_per_million"]),
    };
    const projectId = Number(row["project_id"]);
    prices.set(projectId, [...(prices.get(projectId) ?? []), price]);
  }
  return prices;
}
