import { type PreparedBatch, prepareBaseline, writeBaseline } from "./baseline.ts";
import type { Form } from "./bodies.ts";
import { cpuMicrosOfTree } from "./machine.ts";
import { type LoadKind, SPANS_PER_REQUEST } from "./payloads.ts";
import { countRows, emptyTables, type LoadResult, type Stage, sendLoad } from "./stage.ts";
import { median, rounded } from "./statistics.ts";
import { startWorker, type WorkerLink } from "./worker-link.ts";

export const CLIENTS = 8;

/** What takes part in the rounds of one payload: the collector with bodies in these forms, the baseline, the obvious way. */
export interface Comparison {
  readonly kind: LoadKind;
  readonly forms: readonly Form[];
  readonly obvious: boolean;
  /** Those with an announcement count as one. */
  readonly requests: number;
  readonly rounds: number;
}

/** Medians over the rounds. CPU in microseconds per span. */
export interface Contestant {
  readonly spansPerSecond: number;
  readonly rounds: readonly number[];
  readonly microsPerSpan: Readonly<Record<string, number>>;
  readonly megabytesPerSecond?: number;
  readonly p50Millis?: number;
  readonly p99Millis?: number;
  readonly residentMiB?: number;
}

export type ContestantName = Form | "baseline" | "obvious";
export type Standings = Partial<Record<ContestantName, Contestant>>;

/** All contestants in turn, round by round, each on empty tables; the load that gives the baseline its rows also warms everything up. */
export async function compare(stage: Stage, comparison: Comparison): Promise<Standings> {
  const { kind, requests } = comparison;
  const load = { kind, form: "protobuf" as const, requests, clients: CLIENTS, spansPerRequest: SPANS_PER_REQUEST };
  await emptyTables(stage);
  await sendLoad(stage, load);
  const batches = await prepareBaseline(stage.sql);
  const rival = comparison.obvious ? await startObviousWay(stage) : undefined;
  const loads = new Map<ContestantName, LoadResult[]>(comparison.forms.map((form) => [form, []]));
  if (rival !== undefined) loads.set("obvious", []);
  const baseline: BaselineRound[] = [];
  for (let round = 0; round < comparison.rounds; round++) {
    for (const [name, results] of loads) {
      await emptyTables(stage);
      if (name === "obvious") results.push(await sendLoad(stage, { ...load, requests: Math.ceil(requests / 3) }, rival?.receiver));
      else results.push(await sendLoad(stage, { ...load, form: name as Form }));
    }
    await emptyTables(stage);
    baseline.push(await baselineRound(stage, batches));
  }
  await rival?.worker.close();
  return { baseline: summaryOfBaseline(baseline), ...Object.fromEntries([...loads].map(([name, results]) => [name, summary(results)])) };
}

/** The obvious collector on the stage's server, as a receiver of loads. */
export async function startObviousWay({ server }: Stage) {
  const worker: WorkerLink = startWorker("obvious.ts", [server.url]);
  const port = await worker.hear<number>();
  return { worker, receiver: { url: `http://127.0.0.1:${port}`, pid: worker.process.pid ?? 0 } };
}

interface BaselineRound {
  readonly spansPerSecond: number;
  readonly writerMicros: number;
  readonly serverMicros: number | undefined;
}

async function baselineRound(stage: Stage, batches: readonly PreparedBatch[]): Promise<BaselineRound> {
  const { postmasterPid } = stage.server;
  const serverNow = (): number | undefined => (postmasterPid === undefined ? undefined : cpuMicrosOfTree(postmasterPid));
  const serverBefore = serverNow();
  const cpu = process.cpuUsage();
  const { spansPerSecond } = await writeBaseline(stage.server.url, batches);
  const { user, system } = process.cpuUsage(cpu);
  const serverAfter = serverNow();
  const spans = batches.reduce((sum, batch) => sum + batch.spans, 0);
  const generations = batches.reduce((sum, batch) => sum + batch.generations, 0);
  const stored = await countRows(stage);
  if (stored.spans !== spans || stored.generations !== generations) {
    throw new Error(`the baseline wrote ${spans} + ${generations} rows, ${stored.spans} + ${stored.generations} are stored`);
  }
  return {
    spansPerSecond,
    writerMicros: (user + system) / spans,
    serverMicros: serverAfter === undefined ? undefined : (serverAfter - (serverBefore ?? 0)) / spans,
  };
}

/** `server` is left out where its CPU cannot be seen. */
const micros = (parts: Readonly<Record<string, readonly (number | undefined)[]>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(parts)
      .filter(([, values]) => values.every((value) => value !== undefined))
      .map(([name, values]) => [name, rounded(median(values as number[]))]),
  );

function summaryOfBaseline(rounds: readonly BaselineRound[]): Contestant {
  return {
    spansPerSecond: Math.round(median(rounds.map((each) => each.spansPerSecond))),
    rounds: rounds.map((each) => Math.round(each.spansPerSecond)),
    microsPerSpan: micros({ writer: rounds.map((each) => each.writerMicros), server: rounds.map((each) => each.serverMicros) }),
  };
}

export function summary(results: readonly LoadResult[]): Contestant {
  const of = (value: (result: LoadResult) => number): number => median(results.map(value));
  return {
    spansPerSecond: Math.round(of((each) => each.spansPerSecond)),
    rounds: results.map((each) => Math.round(each.spansPerSecond)),
    microsPerSpan: micros({
      sender: results.map((each) => each.microsPerSpan.sender),
      collector: results.map((each) => each.microsPerSpan.collector),
      server: results.map((each) => each.microsPerSpan.server),
    }),
    megabytesPerSecond: rounded(of((each) => each.megabytesPerSecond)),
    p50Millis: rounded(of((each) => each.p50Millis)),
    p99Millis: rounded(of((each) => each.p99Millis)),
    residentMiB: Math.round(Math.max(...results.map((each) => each.residentMiB))),
  };
}
