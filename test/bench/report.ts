import type { DecodeResult } from "./decode.ts";
import type { DialectKind } from "./dialect-payloads.ts";

/** The figures by their names in `--json`; NaN never appears: what was not measured is absent. */
export type Ratios = Partial<Record<RatioName, number>>;
type RatioName =
  | ("genai" | "plain" | "mix" | "pending" | DialectKind | "gzip" | "json" | "obvious" | "oneSpan" | "growth" | "wal" | "disk" | "rssMiB")
  | "readP95Millis"
  | ("sdkP50Micros" | "sdkP99Micros" | "sdkCpuMicros" | "sdkStallMillis")
  | ("sdkP50ToStock" | "sdkP99ToStock" | "sdkCpuToStock" | "sdkStallToStock");

interface Requirement {
  readonly name: RatioName;
  readonly text: string;
  readonly limit: number;
  /** The figure must not exceed the limit; otherwise it must reach it. */
  readonly atMost?: true;
  /** What the same figure is as a multiple of the stock NodeSDK's in the same run, printed beside it. */
  readonly toStock?: RatioName;
}

const SIZE_LIMIT = { lz4: 1.2, uncompressed: 1.45 };

/** CONTRACT section 9. Without lz4 large text is stored as it is, so more bytes are allowed. */
export function requirements(hasLz4: boolean): readonly Requirement[] {
  const sizeLimit = hasLz4 ? SIZE_LIMIT.lz4 : SIZE_LIMIT.uncompressed;
  return [
    { name: "genai", text: "genai, protobuf : baseline", limit: 0.6 },
    { name: "plain", text: "plain, protobuf : baseline", limit: 0.6 },
    { name: "mix", text: "mix, protobuf : baseline", limit: 0.55 },
    { name: "gzip", text: "protobuf gzip : baseline (the lowest payload)", limit: 0.5 },
    { name: "json", text: "genai, OTLP/JSON : baseline", limit: 0.4 },
    { name: "pending", text: "genai with pending records on : baseline", limit: 0.45 },
    { name: "openinference", text: "OpenInference, protobuf : baseline (half of genai)", limit: 0.3 },
    { name: "vercel", text: "AI SDK before 7, protobuf : baseline (half of genai)", limit: 0.3 },
    { name: "obvious", text: "genai : the obvious way", limit: 2 },
    { name: "oneSpan", text: "1-span requests, 32 clients : one commit per row", limit: 5 },
    { name: "growth", text: "last eighth of a growing table : first eighth", limit: 0.8 },
    { name: "wal", text: "WAL bytes : OTLP bytes (mix)", limit: sizeLimit, atMost: true },
    { name: "disk", text: "disk bytes : OTLP bytes (mix)", limit: sizeLimit, atMost: true },
    { name: "rssMiB", text: "collector memory under load, MiB RSS", limit: 300, atMost: true },
    { name: "readP95Millis", text: "reads of 2 M spans: the slowest p95, ms", limit: 100, atMost: true },
    { name: "sdkP50Micros", text: "SDK, a generation of 10 KB: µs in the caller, p50", limit: 40, atMost: true, toStock: "sdkP50ToStock" },
    { name: "sdkP99Micros", text: "SDK: µs in the caller, p99", limit: 300, atMost: true, toStock: "sdkP99ToStock" },
    { name: "sdkCpuMicros", text: "SDK: µs of CPU in all", limit: 220, atMost: true, toStock: "sdkCpuToStock" },
    { name: "sdkStallMillis", text: "SDK: longest stall of the event loop, ms", limit: 8, atMost: true, toStock: "sdkStallToStock" },
  ];
}

export const isReached = ({ limit, atMost }: Requirement, value: number): boolean => (atMost ? value <= limit : value >= limit);

/** The table of required and reached figures, a line each. */
export function ratioTable(ratios: Ratios, hasLz4: boolean): string[] {
  const lines = requirements(hasLz4).map((row) => {
    const value = ratios[row.name];
    const shown = value === undefined ? "not measured" : value.toFixed(row.limit >= 100 ? 0 : 2);
    const verdict = value === undefined ? "" : isReached(row, value) ? "reached" : "SHORT";
    const toStock = row.toStock === undefined ? undefined : ratios[row.toStock];
    const beside = toStock === undefined ? "" : `${toStock} x stock NodeSDK`;
    return line([row.text, `${row.atMost ? "≤" : "≥"} ${row.limit}`, shown, verdict, beside]);
  });
  return [line(["what", "required", "measured", ""]), ...lines];
}

const line = ([what = "", ...cells]: readonly string[]): string =>
  `${what.padEnd(52)}${cells.map((cell) => cell.padEnd(14)).join("")}`.trimEnd();

/** Decode targets: rows in at most 0.6 of what the library needs for its objects alone, and a third (plain), a fifth, a tenth of its rows. */
export const decodeTable = (results: readonly DecodeResult[]): string[] =>
  results.map(
    ({ kind, rows, library, libraryRows }) =>
      `decode ${kind.padEnd(8)} ${rows} µs to rows; protobufjs ${library} µs to objects (1 : ${(library / rows).toFixed(1)}), ${libraryRows} µs to rows (1 : ${(libraryRows / rows).toFixed(1)})`,
  );

interface Speed {
  readonly spansPerSecond: number;
  readonly microsPerSpan: Readonly<Record<string, number>>;
  readonly megabytesPerSecond?: number;
  readonly p50Millis?: number;
  readonly p99Millis?: number;
  readonly residentMiB?: number;
}

/** One load in one line: speed, then CPU per span of each process. */
export function speedLine(name: string, speed: Speed): string {
  const cpu = Object.entries(speed.microsPerSpan).map(([process, micros]) => `${process} ${micros}`);
  const parts = [
    `${String(speed.spansPerSecond).padStart(7)} spans/s`,
    ...(speed.megabytesPerSecond === undefined ? [] : [`${speed.megabytesPerSecond} MB/s`]),
    `µs CPU/span: ${cpu.join(", ")}`,
    ...(speed.p50Millis === undefined ? [] : [`p50/p99 ${speed.p50Millis}/${speed.p99Millis} ms`]),
    ...(speed.residentMiB === undefined ? [] : [`RSS ${speed.residentMiB} MiB`]),
  ];
  return `${name.padEnd(18)}${parts.join("  ")}`;
}
