import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { tracesBeforeReading } from "../app/pipelines.ts";
import { errorCode } from "../base/error-code.ts";
import { SetupError } from "../base/setup-error.ts";
import type { ConfigOptions } from "../cli/actions.ts";
import { type Cell, type ResultSet, resultSet } from "../cli/result-set.ts";
import { explainSpan } from "../dialects/explain.ts";
import { DecodeError } from "../otlp/decode-error.ts";
import { transcodeJson } from "../otlp/decode-json.ts";
import { createSpanWalker } from "../otlp/decode-protobuf.ts";
import { createSpanView, type SpanView } from "../otlp/span-view.ts";
import { readConfig } from "./config-files.ts";
import type { Host } from "./host.ts";

const NO_CONFIG: ConfigOptions = { configFiles: [], configSets: [] };
const COLUMNS = ["span", "role", "dialect", "concept", "source", "value"] as const;
/** Larger bodies than the collector itself takes are no bodies. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * How each span of a recorded traces body (protobuf or JSON, also gzipped) is understood, one row per attribute, after everything that the configuration, where
 * one is given, does to it. Throws SetupError for a file that is no such body, ConfigError for a configuration that is none.
 */
export function explainFile(file: string, options: ConfigOptions = NO_CONFIG, host?: Pick<Host, "env" | "rootFolder">): ResultSet {
  const { configFiles, configSets } = options;
  const isConfigured = host !== undefined && configFiles.length + configSets.length > 0;
  const before = isConfigured ? tracesBeforeReading(readConfig(options, host).config) : undefined;
  const body = readBody(file);
  before?.redact(body, "traces");
  const rows = explained(body, { file, change: before?.change });
  if (rows.length === 0) throw new SetupError(`${file} holds no spans: give the body of a request to /v1/traces.`);
  return resultSet(COLUMNS, rows);
}

function readBody(file: string): Buffer {
  let stored: Buffer;
  try {
    stored = readFileSync(file);
  } catch {
    throw new SetupError(`The file ${file} cannot be read: check its name and rights.`);
  }
  try {
    const body = stored[0] === 0x1f && stored[1] === 0x8b ? gunzipSync(stored, { maxOutputLength: MAX_BYTES }) : stored;
    return /^\s*\{/.test(body.subarray(0, 64).toString("latin1")) ? transcodeJson(body, "traces") : body;
  } catch (error) {
    throw notABody(file, error);
  }
}

interface Explaining {
  readonly file: string;
  readonly change: ((view: SpanView) => void) | undefined;
}

function explained(body: Buffer, { file, change }: Explaining): Cell[][] {
  const view = createSpanView();
  const walker = createSpanWalker(view);
  const rows: Cell[][] = [];
  try {
    walker.open(body);
    for (let found = walker.next(); found !== "end"; found = walker.next()) {
      if (found === "pause") continue;
      if (found === "item") change?.(view);
      rows.push(...(found === "broken" ? [["", "malformed", null, null, null, null]] : rowsOf(view)));
    }
    return rows;
  } catch (error) {
    throw notABody(file, error);
  }
}

function rowsOf(view: SpanView): Cell[][] {
  const { span, role, dialect, origins } = explainSpan(view);
  if (origins.length === 0) return [[span, role, dialect ?? null, null, null, null]];
  return origins.map(({ concept, source, value }) => [span, role, dialect ?? null, concept ?? null, source, cellOf(value)]);
}

function cellOf(value: unknown): Cell {
  if (value === undefined || value === null) return null;
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : JSON.stringify(value);
}

function notABody(file: string, error: unknown): Error {
  if (!(error instanceof DecodeError) && !errorCode(error).startsWith("Z_")) return error as Error;
  return new SetupError(
    `${file} is no body of OTLP traces: record what a client posts to /v1/traces (protobuf or JSON), and give that file.`,
  );
}
