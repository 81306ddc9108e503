import type { Signal } from "../../collector/base/signal.ts";
import { createLogEncoder, type LogEncoder } from "../../collector/rows/encode-logs.ts";
import { createTraceEncoder, type TraceEncoder } from "../../collector/rows/encode-traces.ts";
import type { EncodedRequest } from "../../collector/rows/encoded-request.ts";
import { createRequestBuilder } from "../../collector/rows/request-builder.ts";
import { type Row, readRows } from "./copy-reader.ts";

/** 2026-11-21T00:00:00Z: the arrival time of everything encoded in tests. */
export const RECEIVED_AT_MS = 1_795_219_200_000;

/** A protobuf request through the production decoder and encoder. */
export const encodeBody = (raw: Buffer, signal: Signal = "traces"): EncodedRequest => createBodyEncoder(signal)(raw);

/** The same for many requests through one encoder, which must keep nothing of one for the next. */
export function createBodyEncoder(signal: Signal): (raw: Buffer) => EncodedRequest {
  const encoder = signal === "logs" ? createLogEncoder() : createTraceEncoder();
  return (raw) => encodeBy(encoder, raw, signal);
}

function encodeBy(encoder: Pick<TraceEncoder | LogEncoder, "open" | "next" | "encode">, raw: Buffer, signal: Signal): EncodedRequest {
  const builder = createRequestBuilder({ signal, projectId: 1, raw, receivedAtMs: RECEIVED_AT_MS });
  encoder.open(builder);
  for (let step = encoder.next(); step !== "end"; step = encoder.next()) if (step === "item") encoder.encode();
  return builder.finish();
}

/** The rows of one table in a request, in the order they were sent. */
export function rowsOf(request: EncodedRequest, table: string): Row[] {
  return [...request.fresh, ...request.revisiting].filter((set) => set.table.name === table).flatMap((set) => readRows(set));
}

/** Span and generation rows of a protobuf traces request. */
export function rowsFromTraces(raw: Buffer): { spans: Row[]; generations: Row[]; request: EncodedRequest } {
  const request = encodeBody(raw);
  return { spans: rowsOf(request, "spans"), generations: rowsOf(request, "generation_logs"), request };
}
