import type { HrTime } from "@opentelemetry/api";

/** Where the system clock and the steady clock disagree by more than this, the system clock was set, and is followed. */
const FOLLOW_ABOVE_MICROS = 20_000;

let anchorEpoch = Date.now() * 1000;
let anchorSteady = performance.now();
let last = 0;

/**
 * Whole microseconds since the epoch, strictly increasing from call to call, so that records made one right after the other keep their order. Follows the
 * system clock when that is set.
 */
export function nowMicros(): number {
  const steady = performance.now();
  const system = Date.now() * 1000;
  let now = Math.round(anchorEpoch + (steady - anchorSteady) * 1000);
  if (Math.abs(system - now) > FOLLOW_ABOVE_MICROS) {
    anchorEpoch = system;
    anchorSteady = steady;
    now = system;
    last = Math.min(last, now);
  }
  last = Math.max(now, last + 1);
  return last;
}

/** The last time that OTLP can write: 2^63 nanoseconds. */
const MAX_MILLIS = 9_223_372_036_854;

/** A time that an application gave (milliseconds since the epoch, or a Date); undefined for anything else. */
export function microsOf(time: unknown): number | undefined {
  const millis = time instanceof Date ? time.getTime() : time;
  return typeof millis === "number" && Number.isFinite(millis) && millis >= 0 && millis <= MAX_MILLIS
    ? Math.round(millis * 1000)
    : undefined;
}

/** OpenTelemetry's form of a time: whole seconds and the nanoseconds of the rest. */
export function hrTime(micros: number): HrTime {
  const seconds = Math.floor(micros / 1e6);
  return [seconds, Math.round(micros - seconds * 1e6) * 1000];
}
