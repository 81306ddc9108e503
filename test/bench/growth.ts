import { CLIENTS } from "./compare.ts";
import { SPANS_PER_REQUEST } from "./payloads.ts";
import { emptyTables, type LoadResult, type Stage, sendLoad } from "./stage.ts";

/** A table that grows in equal steps. */
export interface GrowthResult {
  readonly spansPerStep: number;
  readonly spansPerSecond: readonly number[];
  /** Highest resident size of the collector per step: flat means that it does not grow with the table. */
  readonly residentMiB: readonly number[];
  /** Speed of the first load into empty tables once more, after the last step. */
  readonly emptiedSpansPerSecond: number;
  /** The last step compared with the mean of both loads into empty tables: a machine that became faster or slower in the meantime weighs half. */
  readonly lastToFirst: number;
}

const STEPS = 8;

/** Eight loads of the mix one after the other into the same tables, then one into emptied tables. */
export async function measureGrowth(stage: Stage, spansPerStep: number): Promise<GrowthResult> {
  const requests = Math.ceil(spansPerStep / SPANS_PER_REQUEST);
  const load = (): Promise<LoadResult> =>
    sendLoad(stage, { kind: "mix", form: "protobuf", requests, clients: CLIENTS, spansPerRequest: SPANS_PER_REQUEST });
  await emptyTables(stage);
  const steps: LoadResult[] = [];
  for (let step = 0; step < STEPS; step++) steps.push(await load());
  await emptyTables(stage);
  const emptied = (await load()).spansPerSecond;
  return {
    spansPerStep: requests * SPANS_PER_REQUEST,
    spansPerSecond: steps.map((step) => Math.round(step.spansPerSecond)),
    residentMiB: steps.map((step) => Math.round(step.residentMiB)),
    emptiedSpansPerSecond: Math.round(emptied),
    lastToFirst: steps.at(-1)!.spansPerSecond / ((steps[0]!.spansPerSecond + emptied) / 2),
  };
}
