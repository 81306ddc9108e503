import { MENDED_NUL, MENDED_UTF8 } from "../otlp/json-string.ts";
import { MENDED_DEPTH, TYPE_BYTES, TYPE_NON_FINITE } from "../otlp/value-json.ts";

/** Reasons under which `genspan_sanitized_total` counts. */
export type SanitizeReason = "nul" | "utf8" | "depth" | "length" | "duplicate_key" | "time";

/**
 * What had to be mended on one item, for its column `ingest_notes`:
 * `{"sanitized": {"nul": [path…], "utf8": […], "depth": […], "length": […]}, "types": {path: "bytes" | "double"}, "duplicate_keys": n, "time": {…}}`.
 * Paths name a column or `attributes.<key>`. Empty for nearly every item, so nothing is allocated until the first note.
 */
export class IngestNotes {
  private sanitized: Record<string, string[]> | undefined;
  private types: Record<string, string> | undefined;
  private time: Record<string, string> | undefined;
  private duplicateKeys = 0;
  /** Sanitising since creation, by reason, for the metrics; survives `clear`. */
  readonly counts = new Map<SanitizeReason, number>();

  clear(): void {
    this.sanitized = undefined;
    this.types = undefined;
    this.time = undefined;
    this.duplicateKeys = 0;
  }

  /** Notes the flags that a value writer returned. */
  mended(path: string, flags: number): void {
    if ((flags & MENDED_NUL) !== 0) this.sanitize("nul", path);
    if ((flags & MENDED_UTF8) !== 0) this.sanitize("utf8", path);
    if ((flags & MENDED_DEPTH) !== 0) this.sanitize("depth", path);
    if ((flags & TYPE_BYTES) !== 0) this.retype(path, "bytes");
    else if ((flags & TYPE_NON_FINITE) !== 0) this.retype(path, "double");
  }

  /** Notes a column that was cut because its index takes no longer text. */
  cut(path: string): void {
    this.sanitize("length", path);
  }

  duplicates(count: number): void {
    this.duplicateKeys += count;
    this.count("duplicate_key", count);
  }

  /** Notes a time that could not be used; `raw` is what was sent, in unix nanoseconds. */
  timing(what: "start" | "end" | "event" | "negative_duration", raw: string): void {
    this.time ??= {};
    this.time[what] = raw;
    this.count("time", 1);
  }

  /** The JSON text for the column, or undefined when there is nothing to say. */
  toJson(): string | undefined {
    if (this.sanitized === undefined && this.types === undefined && this.time === undefined && this.duplicateKeys === 0) return undefined;
    return JSON.stringify({
      sanitized: this.sanitized,
      types: this.types,
      time: this.time,
      duplicate_keys: this.duplicateKeys > 0 ? this.duplicateKeys : undefined,
    });
  }

  private sanitize(reason: "nul" | "utf8" | "depth" | "length", path: string): void {
    this.sanitized ??= Object.create(null) as Record<string, string[]>;
    const paths = this.sanitized[reason] ?? [];
    this.sanitized[reason] = paths;
    if (paths.length < MAX_PATHS) paths.push(clean(path));
    this.count(reason, 1);
  }

  private retype(path: string, type: string): void {
    this.types ??= Object.create(null) as Record<string, string>;
    this.types[clean(path)] = type;
  }

  private count(reason: SanitizeReason, by: number): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + by);
  }
}

/** Thousands of broken attributes are told by the first ones. */
const MAX_PATHS = 20;

/** A path goes into jsonb itself: neither NUL nor lone surrogates may be in it, and it need not be long. */
const clean = (path: string): string => path.slice(0, 200).replaceAll("\u0000", "\uFFFD").toWellFormed();
