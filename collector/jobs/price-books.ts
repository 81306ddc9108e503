import type { Sql } from "../../schema/connect.ts";
import { errorCode } from "../base/error-code.ts";
import type { Log } from "../base/log.ts";
import { createSchedule } from "../base/schedule.ts";
import { createPriceBook, type PriceBook } from "../model/price.ts";
import { readPrices } from "../query/prices.ts";

export interface PriceBooksOptions {
  /** Sees the prices of all projects. */
  readonly sql: Sql;
  readonly schema: string;
  readonly log: Log;
  readonly intervalMillis?: number;
}

/** The price book of each project, kept up to date with table model_prices. */
export interface PriceBooks {
  of(projectId: number): PriceBook;
  refresh(): Promise<void>;
  stop(): Promise<void>;
}

/** A changed price applies to calls that arrive after this. */
const INTERVAL_MS = 15_000;

/** Reads the prices once before it resolves, so that the first call is not priced without them. */
export async function createPriceBooks(options: PriceBooksOptions): Promise<PriceBooks> {
  const { sql, schema, log } = options;
  const shipped = createPriceBook();
  let books = new Map<number, PriceBook>();
  let known = "";

  async function refresh(): Promise<void> {
    const prices = await readPrices(sql, schema);
    const seen = JSON.stringify([...prices]);
    if (seen === known) return;
    known = seen;
    books = new Map([...prices].map(([projectId, own]) => [projectId, createPriceBook(own)]));
  }

  await refresh();
  const { start, stop } = createSchedule({
    run: refresh,
    everyMillis: options.intervalMillis ?? INTERVAL_MS,
    atOnce: false,
    onError: (error) => log.warn({ code: errorCode(error) }, "prices could not be read again"),
  });
  start();
  return { of: (projectId) => books.get(projectId) ?? shipped, refresh, stop };
}
