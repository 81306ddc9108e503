import { Agent, request } from "node:http";
import { toOtlpJson } from "./otlp-types.ts";
import { compressed, freshCopy, type Kind, template } from "./payloads.ts";

/** What the parent asks for. */
export interface SendOrder {
  readonly url: string;
  readonly kind: Kind;
  readonly form: "protobuf" | "gzip" | "json";
  readonly requests: number;
  readonly clients: number;
  readonly spansPerRequest: number;
  readonly runId: number;
}

/** What came of it. Only 200s count. */
export interface SendReport {
  readonly acknowledgedSpans: number;
  readonly failures: number;
  readonly wallMillis: number;
  readonly bytes: number;
  readonly cpuMicros: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
}

const HEADERS = {
  protobuf: { "content-type": "application/x-protobuf" },
  gzip: { "content-type": "application/x-protobuf", "content-encoding": "gzip" },
  json: { "content-type": "application/json" },
};

/** Bodies that cost something to make are made before the clock starts. */
async function send(order: SendOrder): Promise<SendReport> {
  const from = template(order.kind, order.spansPerRequest);
  const make = (serial: number): Buffer => freshCopy(from, serial, order.runId);
  const shape = { protobuf: (body: Buffer) => body, gzip: compressed, json: toOtlpJson }[order.form];
  const prepared = order.form === "protobuf" ? undefined : Array.from({ length: order.requests }, (_, i) => shape(make(i)));
  process.send?.("prepared");
  await new Promise((resolve) => process.once("message", resolve));

  const agent = new Agent({ keepAlive: true, maxSockets: order.clients });
  const latencies: number[] = [];
  let next = 0;
  let acknowledged = 0;
  let failures = 0;
  let bytes = 0;
  const cpu = process.cpuUsage();
  const began = performance.now();
  const client = async (): Promise<void> => {
    while (next < order.requests) {
      const serial = next++;
      const body = prepared?.[serial] ?? make(serial);
      const sentAt = performance.now();
      const status = await post(order, agent, body);
      latencies.push(performance.now() - sentAt);
      bytes += body.length;
      if (status === 200) acknowledged += order.spansPerRequest;
      else failures++;
    }
  };
  await Promise.all(Array.from({ length: order.clients }, client));
  const wallMillis = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return {
    acknowledgedSpans: acknowledged,
    failures,
    wallMillis,
    bytes,
    cpuMicros: user + system,
    p50Millis: at(0.5),
    p99Millis: at(0.99),
  };
}

function post(order: SendOrder, agent: Agent, body: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const outgoing = request(
      `${order.url}/v1/traces`,
      { method: "POST", agent, headers: { ...HEADERS[order.form], "content-length": body.length } },
      (answer) => {
        answer.resume();
        answer.on("end", () => resolve(answer.statusCode ?? 0));
      },
    );
    outgoing.on("error", () => resolve(0));
    outgoing.end(body);
  });
}

process.once("message", (order) => void send(order as SendOrder).then((report) => process.send?.(report, () => process.exit(0))));
