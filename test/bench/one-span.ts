import { prepareBaseline, writeBaseline } from "./baseline.ts";
import { type Contestant, startObviousWay, summary } from "./compare.ts";
import { countRows, emptyTables, type Stage, sendLoad } from "./stage.ts";
import { median, rounded } from "./statistics.ts";

const CLIENTS = 32;
/** Rows that are committed one by one in each round: at a few thousand a second, enough. */
const SINGLE_COMMITS = 2_000;

export interface OneSpanResult {
  readonly requests: Contestant;
  /** The same requests to the obvious way, which commits each on its own before it answers. */
  readonly oneCommitEach: Contestant;
  /** Without any receiver, the rows framed in advance: commits a second when each is a transaction of its own over one session. */
  readonly commitsPerSecond: number;
  /** The same over the two sessions that the collector has. */
  readonly commitsPerSecondOverTwo: number;
}

/** A share of the requests is enough for who is slower. */
const RIVAL_SHARE = 0.25;

/** Requests of one span from 32 clients, in turn with the same requests committed one by one, and with nothing but their rows committed one by one. */
export async function measureOneSpan(
  stage: Stage,
  options: { readonly requests: number; readonly rounds: number },
): Promise<OneSpanResult> {
  const load = { kind: "plain" as const, form: "protobuf" as const, requests: options.requests, clients: CLIENTS, spansPerRequest: 1 };
  await emptyTables(stage);
  await sendLoad(stage, { ...load, requests: Math.max(SINGLE_COMMITS, options.requests / 4) });
  const rows = (await prepareBaseline(stage.sql, 1)).slice(0, SINGLE_COMMITS);
  const rival = await startObviousWay(stage);
  const results = [];
  const each = [];
  const single: number[] = [];
  const two: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    await emptyTables(stage);
    results.push(await sendLoad(stage, load));
    await emptyTables(stage);
    each.push(await sendLoad(stage, { ...load, requests: Math.ceil(options.requests * RIVAL_SHARE) }, rival.receiver));
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
  await rival.worker.close();
  return {
    requests: summary(results),
    oneCommitEach: summary(each),
    commitsPerSecond: rounded(median(single), 0),
    commitsPerSecondOverTwo: rounded(median(two), 0),
  };
}
