import type { Signal } from "../../base/signal.ts";
import type { ImportFault, ImportOptions } from "./index.ts";

/** A line of an export of traces, and where it stood. */
export interface StagedSpan {
  readonly json: string;
  readonly line: number;
}

type Sending = Pick<ImportOptions, "consume" | "requestOf" | "signal">;

/** Busy collectors are asked again; a busy minute is a failure. */
const RETRIES = 20;
const RETRY_MS = 3_000;

/** Sends spans in one request, and where that is not stored in full one by one, to know which are refused. */
export async function sendSpans(
  options: Sending,
  spans: readonly StagedSpan[],
  report: { otlpRequests: number },
): Promise<readonly ImportFault[]> {
  report.otlpRequests++;
  const reason = await sendLines(options, spans);
  if (reason === undefined) return [];
  const [only] = spans;
  if (only !== undefined && spans.length === 1) return [{ line: only.line, reason }];
  const faults: ImportFault[] = [];
  for (const span of spans) faults.push(...(await sendSpans(options, [span], report)));
  return faults;
}

async function sendLines(options: Sending, spans: readonly StagedSpan[]): Promise<string | undefined> {
  let request: string;
  try {
    request = options.requestOf(spans.map(({ json }) => json));
  } catch {
    return "this span is not as an export writes it";
  }
  return sendRequest(options, "traces", request);
}

/** Why the request was not stored in full, or undefined. */
export async function sendRequest(
  { consume, signal: stop }: Pick<ImportOptions, "consume" | "signal">,
  signal: Signal,
  text: string,
): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await consume(signal, Buffer.from(text, "utf8"));
    if (outcome.kind === "accepted") return undefined;
    if (outcome.kind !== "retryable") return outcome.message;
    if (attempt === RETRIES) throw new Error(`the collector takes nothing at the moment: ${outcome.message}`);
    stop?.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, Math.min(RETRY_MS, outcome.retryAfterSeconds * 1_000)));
  }
}
