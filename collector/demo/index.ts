import { setTimeout as sleep } from "node:timers/promises";
import { history, pickStory } from "./history.ts";
import { countGenerations, type DemoTrace } from "./otlp.ts";
import { createRandom, type Random, seedOf } from "./random.ts";
import { type SendOptions, sendTraces } from "./send.ts";

export interface DemoInput extends SendOptions {
  readonly rows: number;
  readonly seed: number;
}

export interface DemoTotals {
  readonly traces: number;
  readonly spans: number;
  readonly generations: number;
}

/** Spans per request: a full batch of an ordinary exporter. */
const SPANS_PER_REQUEST = 512;
/** Requests under way at once; the collector commits what is waiting in one go. */
const SENDERS = 2;
const LIVE_PAUSE_MS = 1_500;

const nowNanos = (): bigint => BigInt(Date.now()) * 1_000_000n;

/** Traces in requests of a usual size; a trace is not torn apart. */
function* requests(traces: Iterable<DemoTrace>): Generator<DemoTrace[]> {
  let batch: DemoTrace[] = [];
  let spans = 0;
  for (const trace of traces) {
    batch.push(trace);
    spans += trace.spans.length;
    if (spans < SPANS_PER_REQUEST) continue;
    yield batch;
    batch = [];
    spans = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Sends two weeks of history that end now, and resolves with how much it was: less than all of it when the signal ended it. */
export async function sendHistory(input: DemoInput): Promise<DemoTotals> {
  const totals = { traces: 0, spans: 0, generations: 0 };
  const queue = requests(history({ rows: input.rows, seed: input.seed, end: nowNanos() }));
  const sendRest = async (): Promise<void> => {
    // The senders share one generator, so each request is sent once.
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      await sendTraces(next.value, input);
      totals.traces += next.value.length;
      totals.spans += next.value.reduce((sum, trace) => sum + trace.spans.length, 0);
      totals.generations += next.value.reduce((sum, trace) => sum + countGenerations(trace), 0);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, () => sendRest().catch(unlessAborted(input.signal))));
  return totals;
}

/** Everyday traces as they happen, a few spans a second, until the signal ends it. A trace is sent when it is over. */
export async function sendLive(input: Omit<DemoInput, "rows">): Promise<void> {
  const random = createRandom(seedOf(input.seed, `live ${Date.now()}`));
  while (!input.signal.aborted) await sendOneLive(random, input).catch(unlessAborted(input.signal));
}

async function sendOneLive(random: Random, input: SendOptions): Promise<void> {
  const made = pickStory(random)(random, { start: 0n, daysAgo: 0 });
  const late = nowNanos() - made.spans[0]!.end;
  const spans = made.spans.map((span) => ({ ...span, start: span.start + late, end: span.end + late }));
  await sendTraces([{ ...made, spans }], input);
  await sleep(random.around(LIVE_PAUSE_MS), undefined, { signal: input.signal });
}

/** Being stopped is how a demo ends, and no failure. */
const unlessAborted =
  (signal: AbortSignal) =>
  (error: unknown): void => {
    if (!signal.aborted) throw error;
  };
