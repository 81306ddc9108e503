import { createTraceEncoder } from "../../collector/rows/encode-traces.ts";
import { createRequestBuilder } from "../../collector/rows/request-builder.ts";
import { createTemplate } from "./bodies.ts";
import { obviousRows } from "./obvious-rows.ts";
import { TracesData } from "./otlp-types.ts";
import { SPANS_PER_REQUEST } from "./payloads.ts";
import { median, rounded } from "./statistics.ts";

/** Microseconds per span of a request of 512, on one core. */
export interface DecodeResult {
  readonly kind: string;
  /** From request bytes to COPY bytes of both tables, as the collector does it. */
  readonly rows: number;
  /** protobufjs: objects and nothing more. */
  readonly library: number;
  /** protobufjs, then the rows of the obvious way as JavaScript values with attributes as JSON text. */
  readonly libraryRows: number;
}

/** Decoding and encoding in turn with a general library, in this process; the first third of the rounds warms up. */
export function measureDecode(kind: "plain" | "genai" | "genai10", rounds: number): DecodeResult {
  const body = createTemplate({ kind, encoding: "protobuf", spans: SPANS_PER_REQUEST, seed: 1 }).body;
  const encoder = createTraceEncoder();
  const ways = {
    rows() {
      const builder = createRequestBuilder({ signal: "traces", projectId: 1, raw: body, receivedAtMs: Date.now() });
      encoder.open(builder);
      while (encoder.next() !== "end") encoder.encode();
      return builder.finish().fresh.reduce((sum, set) => sum + set.bytes.length, 0);
    },
    library: () => TracesData.decode(body),
    libraryRows: () => obviousRows(body, JSON.stringify),
  };
  const times: Record<keyof typeof ways, number[]> = { rows: [], library: [], libraryRows: [] };
  for (let round = 0; round < rounds; round++) {
    for (const way of ["rows", "library", "libraryRows"] as const) {
      const began = performance.now();
      ways[way]();
      if (round * 3 > rounds) times[way].push(((performance.now() - began) * 1000) / SPANS_PER_REQUEST);
    }
  }
  const micros = (way: keyof typeof ways): number => rounded(median(times[way]), 2);
  return { kind, rows: micros("rows"), library: micros("library"), libraryRows: micros("libraryRows") };
}
