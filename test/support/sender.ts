import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { spanId as numbered, span, tracesRequest } from "./wire-builder.ts";

/** Sends spans over OTLP/HTTP and looks at what came of them. */
export interface Sender {
  /** Answers with the status, 0 when there was none. Span ids go on from request to request. */
  send(spans?: number): Promise<number>;
  /** Spans of the requests that were answered with 200. */
  acknowledged(): number;
  /** How often each status was answered. */
  readonly statuses: ReadonlyMap<number, number>;
}

const TIMEOUT_MS = 12_000;
let next = 0;

export function createSender(otlpUrl: () => string, headers: Readonly<Record<string, string>> = {}): Sender {
  const statuses = new Map<number, number>();
  let acknowledged = 0;
  return {
    statuses,
    acknowledged: () => acknowledged,
    async send(spans = 1) {
      const start = BigInt(Date.now()) * 1_000_000n;
      const body = tracesRequest(Array.from({ length: spans }, () => span({ spanId: numbered(next++), start, end: start + 1_000n })));
      const status = await post(`${otlpUrl()}/v1/traces`, body, headers);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status === 200) acknowledged += spans;
      return status;
    },
  };
}

async function post(url: string, body: Buffer, headers: Readonly<Record<string, string>>): Promise<number> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/x-protobuf", ...headers },
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

/** Runs `work` again and again until `stop` resolves. */
export async function whileRunning(stop: Promise<unknown>, work: () => Promise<unknown>, pauseMillis = 0): Promise<void> {
  let stopped = false;
  stop.then(
    () => (stopped = true),
    () => (stopped = true),
  );
  while (!stopped) {
    await work();
    await sleep(pauseMillis);
  }
}

/** One number out of a database. */
export async function countOf(url: string, query: string): Promise<number> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const [row] = await sql.unsafe<[{ n: number }]>(query);
    return Number(row.n);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** The value of a metric with exactly these labels as they are printed, such as `genspan_items_total{signal="traces",outcome="stored"}`; 0 when it is not there. */
export async function metricOf(webUrl: string, name: string): Promise<number> {
  const text = await (await fetch(`${webUrl}/metrics`)).text();
  const line = text.split("\n").find((each) => each.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}
