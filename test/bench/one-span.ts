import { prepareBaseline, writeBaseline } from "./baseline.ts";
import { type Contestant, summary } from "./compare.ts";
import { countRows, emptyTables, type Stage, sendLoad } from "./stage.ts";
import { median, rounded } from "./statistics.ts";

const CLIENTS = 32;
/** Rows that are committed one by one in each round: at a few thousand a second, enough. */
const SINGLE_COMMITS = 2_000;

export interface OneSpanResult {
  readonly requests: Contestant;
  /** Commits a second when rows are written one after the other: each a transaction of its own over one session. */
  readonly commitsPerSecond: number;
  /** The same over the two sessions that the collector has. */
  readonly commitsPerSecondOverTwo: number;
}

/** Requests of one span from 32 clients, in turn with the same rows written one per commit. */
export async function measureOneSpan(
  stage: Stage,
  options: { readonly requests: number; readonly rounds: number },
): Promise<OneSpanResult> {
  const load = { kind: "plain" as const, form: "protobuf" as const, requests: options.requests, clients: CLIENTS, spansPerRequest: 1 };
  await emptyTables(stage);
  await sendLoad(stage, { ...load, requests: Math.max(SINGLE_COMMITS, options.requests / 4) });
  const rows = (await prepareBaseline(stage.sql, 1)).slice(0, SINGLE_COMMITS);
  const results = [];
  const single: number[] = [];
  const two: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    await emptyTables(stage);
    results.push(await sendLoad(stage, load));
    for (const [rates, sessions] of [
      [single, 1],
      [two, 2],
    ] as const) {
      await emptyTables(stage);
      rates.push((await writeBaseline(stage.server.url, rows, sessions)).spansPerSecond);
      const stored = await countRows(stage);
      if (stored.spans !== rows.length) throw new Error(`${rows.length} rows were committed one by one, ${stored.spans} are stored`);
    }
  }
  return {
    requests: summary(results),
    commitsPerSecond: rounded(median(single), 0),
    commitsPerSecondOverTwo: rounded(median(two), 0),
  };
}
