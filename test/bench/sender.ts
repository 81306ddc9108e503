import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { createTemplate, type Form, freshCopies, type Template } from "./bodies.ts";
import { type HttpConnection, openHttpConnection, requestHead } from "./http-connection.ts";
import type { LoadKind } from "./payloads.ts";

/** One load: what to send, how often and over how many connections. */
export interface SendOrder {
  readonly url: string;
  readonly kind: LoadKind;
  readonly form: Form;
  readonly requests: number;
  readonly clients: number;
  readonly spansPerRequest: number;
}

/** What came of a load. Only an answer of 200 counts as acknowledged. */
export interface SendReport {
  readonly acknowledgedSpans: number;
  readonly acknowledgedGenerations: number;
  /** Requests that got another status or none, by status (0: none). */
  readonly failures: Readonly<Record<string, number>>;
  readonly wallMillis: number;
  /** Bytes of all bodies as sent. */
  readonly wireBytes: number;
  readonly cpuMicros: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
}

/** Different texts per load; every copy of a template has ids and times of its own. */
const TEMPLATES = 8;
const ONE_SPAN_TEMPLATES = 100;

const HEADERS: Readonly<Record<Form, Readonly<Record<string, string>>>> = {
  protobuf: { "content-type": "application/x-protobuf" },
  gzip: { "content-type": "application/x-protobuf", "content-encoding": "gzip" },
  json: { "content-type": "application/json" },
};

interface PreparedRequest {
  readonly head: Buffer;
  readonly body: Buffer;
  readonly template: Template;
}

/** Requests of which each is sent when the one before it was answered. */
type Sequence = readonly PreparedRequest[];

const templates = new Map<string, readonly Template[]>();

function templatesFor({ kind, form, spansPerRequest }: SendOrder): readonly Template[] {
  const encoding = form === "json" ? "json" : "protobuf";
  const name = `${kind} ${encoding} ${spansPerRequest}`;
  const count = spansPerRequest === 1 ? ONE_SPAN_TEMPLATES : TEMPLATES;
  const made =
    templates.get(name) ?? Array.from({ length: count }, (_, i) => createTemplate({ kind, encoding, spans: spansPerRequest, seed: i + 1 }));
  templates.set(name, made);
  return made;
}

const compress = promisify(gzip);

/** All bodies of the load, ready to be written. Each request starts a millisecond after the one before it, the last one now. */
async function prepare(order: SendOrder): Promise<Sequence[]> {
  const url = new URL("/v1/traces", order.url);
  const made = templatesFor(order);
  const begin = BigInt(Date.now() - order.requests) * 1_000_000n;
  const sequences: Sequence[] = [];
  for (let i = 0; i < order.requests; i++) {
    const template = made[i % made.length]!;
    const sequence: PreparedRequest[] = [];
    for (const copy of freshCopies(template, begin + BigInt(i) * 1_000_000n)) {
      const body = order.form === "gzip" ? await compress(copy) : copy;
      const head = requestHead(url, { ...HEADERS[order.form], "content-length": body.length });
      const isFirst = template.announcement !== undefined && sequence.length === 0;
      sequence.push({ head, body, template: isFirst ? template.announcement : template });
    }
    sequences.push(sequence);
  }
  return sequences;
}

async function send(order: SendOrder, sequences: readonly Sequence[]): Promise<SendReport> {
  const connections = await Promise.all(Array.from({ length: order.clients }, () => openHttpConnection(new URL(order.url))));
  const requests = sequences.flat();
  const latencies = new Float64Array(requests.length);
  let answered = 0;
  const failures: Record<string, number> = {};
  let next = 0;
  let spans = 0;
  let generations = 0;
  const drive = async (connection: HttpConnection): Promise<void> => {
    for (let i = next++; i < sequences.length; i = next++) {
      for (const { head, body, template } of sequences[i]!) {
        const sentAt = performance.now();
        const status = await connection.exchange(head, body).catch(() => 0);
        latencies[answered++] = performance.now() - sentAt;
        if (status === 200) {
          spans += template.spans;
          generations += template.generations;
        } else failures[status] = (failures[status] ?? 0) + 1;
        if (status === 0) return;
      }
    }
  };
  const cpu = process.cpuUsage();
  const began = performance.now();
  await Promise.all(connections.map(drive));
  const wallMillis = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  for (const connection of connections) connection.close();
  latencies.sort();
  const quantile = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return {
    acknowledgedSpans: spans,
    acknowledgedGenerations: generations,
    failures,
    wallMillis,
    wireBytes: requests.reduce((sum, { body }) => sum + body.length, 0),
    cpuMicros: user + system,
    p50Millis: quantile(0.5),
    p99Millis: quantile(0.99),
  };
}

let order: SendOrder | undefined;
let prepared: Sequence[] = [];

/** First an order, answered when all its bodies are made; then "go", answered with the report. */
process.on("message", async (message: SendOrder | "go") => {
  if (message !== "go") {
    order = message;
    prepared = await prepare(order);
    process.send?.("prepared");
  } else if (order !== undefined) {
    const report = await send(order, prepared);
    prepared = [];
    process.send?.(report);
  }
});
process.on("disconnect", () => process.exit(0));
