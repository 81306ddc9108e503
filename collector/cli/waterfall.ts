import { displayWidth, padToWidth, truncateToWidth } from "./display-width.ts";
import type { Terminal } from "./terminal.ts";

/** A span as the tree of the API gives it. */
export interface WaterfallSpan {
  readonly name: string;
  readonly service_name: string;
  readonly start_unix_nano: string;
  readonly duration_ns: number | string | null;
  readonly status: string;
  readonly depth: number;
  readonly orphan: boolean;
  readonly generation: { readonly model: string | null; readonly tokens: number | string | null } | null;
}

const BAR = 40;
const MAX_NAME = 48;
const visible = (text: string): string => text.replace(/[\p{Control}\u{200E}\u{200F}\u{202A}-\u{202E}\u{2066}-\u{2069}]/gu, "�");

/** One line per span: its place in the tree, when it ran, how long it took. Errors are marked by a word as well as by colour. */
export async function writeWaterfall(terminal: Terminal, spans: readonly WaterfallSpan[]): Promise<void> {
  const starts = spans.map((span) => BigInt(span.start_unix_nano));
  const first = starts.reduce((least, start) => (start < least ? start : least), starts[0] ?? 0n);
  const ends = spans.map((span, i) => Number((starts[i] ?? first) - first) + Number(span.duration_ns ?? 0));
  const whole = Math.max(1, ...ends);
  const names = spans.map(nameOf);
  const width = Math.max(...names.map(displayWidth));
  for (const [i, span] of spans.entries()) {
    const from = Math.floor((Number((starts[i] ?? first) - first) / whole) * BAR);
    const length = Math.max(1, Math.round((Number(span.duration_ns ?? 0) / whole) * BAR));
    const bar = " ".repeat(Math.min(from, BAR - 1)) + "█".repeat(Math.min(length, BAR - Math.min(from, BAR - 1)));
    const line = `${padToWidth(names[i] ?? "", width)}  ${bar.padEnd(BAR)}  ${timeOf(span.duration_ns).padStart(9)}${notesOf(span)}`;
    await terminal.write(`${span.status === "error" ? terminal.style("red", line) : line}\n`.replace(/ +\n$/, "\n"));
  }
}

const nameOf = ({ depth, name, service_name, orphan }: WaterfallSpan): string =>
  truncateToWidth(`${"  ".repeat(Math.min(depth, 12))}${orphan ? "? " : ""}${visible(name)} · ${visible(service_name)}`, MAX_NAME);

function timeOf(nanos: number | string | null): string {
  if (nanos === null) return "–";
  const millis = Number(nanos) / 1e6;
  return millis >= 1_000 ? `${(millis / 1_000).toFixed(2)} s` : `${millis.toFixed(millis < 10 ? 2 : 0)} ms`;
}

function notesOf({ status, generation }: WaterfallSpan): string {
  const call =
    generation === null ? "" : `  ${visible(generation.model ?? "")}${generation.tokens === null ? "" : ` ${generation.tokens} tokens`}`;
  return `${status === "error" ? "  error" : ""}${call}`;
}
