import { Worker } from "node:worker_threads";
import { JsonTraceSerializer, ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { TracingLimits } from "./options.ts";
import { sizeOf } from "./queue.ts";
import type { Target } from "./settings.ts";

/** Runs in a thread of its own: posts the bodies one after the other, then wakes the thread that waits. */
const POST = `
const { workerData: { url, headers, bodies, shared } } = require("node:worker_threads");
const { request } = require(url.startsWith("https:") ? "node:https" : "node:http");
const flag = new Int32Array(shared);
const end = () => { Atomics.store(flag, 0, 1); Atomics.notify(flag, 0); };
const next = () => {
  const body = bodies.shift();
  if (body === undefined) return end();
  const post = request(url, { method: "POST", headers: { ...headers, "content-length": body.length } }, (answer) => {
    answer.resume();
    answer.on("end", next);
  });
  post.on("error", end);
  post.end(body);
};
next();
`;

export interface LastBreath {
  readonly spans: readonly ReadableSpan[];
  readonly target: Target;
  readonly headers: Readonly<Record<string, string>>;
  readonly limits: TracingLimits;
  readonly timeoutMillis: number;
}

/**
 * Sends spans while the process ends and its event loop no longer turns: a thread of its own makes the requests, this one waits for it, at most
 * `timeoutMillis`. The one way to deliver after process.exit() and after an uncaught error without changing what these do.
 */
export function sendWithLastBreath({ spans, target, headers, limits, timeoutMillis }: LastBreath): void {
  const serializer = target.protocol === "http/protobuf" ? ProtobufTraceSerializer : JsonTraceSerializer;
  const bodies = inRequests(spans, limits).flatMap((batch) => serializer.serializeRequest(batch) ?? []);
  if (bodies.length === 0) return;
  const shared = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const contentType = target.protocol === "http/protobuf" ? "application/x-protobuf" : "application/json";
  const workerData = { url: target.url, headers: { ...headers, "content-type": contentType }, bodies, shared };
  const worker = new Worker(POST, { eval: true, execArgv: [], env: {}, workerData });
  worker.on("error", () => {});
  Atomics.wait(new Int32Array(shared), 0, 0, timeoutMillis);
}

function inRequests(spans: readonly ReadableSpan[], { exportRecords, exportBytes }: TracingLimits): ReadableSpan[][] {
  const requests: ReadableSpan[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const span of spans) {
    const size = sizeOf(span);
    const last = requests.at(-1);
    if (last === undefined || last.length >= exportRecords || bytes + size > exportBytes) {
      requests.push([span]);
      bytes = size;
    } else {
      last.push(span);
      bytes += size;
    }
  }
  return requests;
}
