import { setTimeout as sleep } from "node:timers/promises";
import { SetupError } from "../base/setup-error.ts";
import { type DemoTrace, exportRequest } from "./otlp.ts";

/** The collector answers within 8 s; whoever waits longer waits in vain. */
const ANSWER_TIMEOUT_MS = 12_000;
const MAX_TRIES = 20;
const DEFAULT_RETRY_SECONDS = 1;

export interface SendOptions {
  /** Base address of OTLP/HTTP. */
  readonly endpoint: string;
  /** Ends the sending. */
  readonly signal: AbortSignal;
  /** In place of the global one. */
  readonly fetch?: typeof fetch;
}

/**
 * Sends traces by OTLP/HTTP as an ordinary client does: waits and sends again when told to.
 * Throws SetupError when the collector refuses for good, and the signal's reason when it is aborted.
 */
export async function sendTraces(traces: readonly DemoTrace[], { endpoint, signal, fetch: send = fetch }: SendOptions): Promise<void> {
  const body = exportRequest(traces);
  for (let tries = 1; ; tries++) {
    const response = await send(new URL("/v1/traces", endpoint), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
    });
    const answer = await response.text();
    if (response.ok) return refuseLoss(answer);
    const temporary = response.status === 429 || response.status === 503;
    if (!temporary || tries === MAX_TRIES) {
      throw new SetupError(`The collector at ${endpoint} answered ${response.status} to the demo data: ${answer.slice(0, 200)}`);
    }
    const seconds = Number(response.headers.get("retry-after") ?? DEFAULT_RETRY_SECONDS);
    await sleep(seconds * 1000, undefined, { signal });
  }
}

/** Demo data is sound: a span that the collector does not take is a defect that must show. */
function refuseLoss(answer: string): void {
  const { partialSuccess } = JSON.parse(answer) as { partialSuccess?: { rejectedSpans?: string | number; errorMessage?: string } };
  if (Number(partialSuccess?.rejectedSpans ?? 0) > 0) {
    throw new SetupError(`The collector refused ${partialSuccess?.rejectedSpans} spans of the demo data: ${partialSuccess?.errorMessage}`);
  }
}
