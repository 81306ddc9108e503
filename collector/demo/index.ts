import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "./random.ts";
import { type DemoRequest, type HistoryOptions, history, liveRequest } from "./stories.ts";

export type Send = (request: DemoRequest) => Promise<void>;

/** Sends to a running collector over OTLP/HTTP; rejects unless everything was taken. */
export const sendTo =
  (otlpUrl: string): Send =>
  async ({ body }) => {
    const response = await fetch(`${otlpUrl}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const answer = await response.text();
    if (response.status !== 200 || answer !== "{}") throw new Error(`the collector answered ${response.status}`);
  };

/** Sends the past, then tells how many requests it took. */
export async function sendHistory(options: HistoryOptions, send: Send): Promise<number> {
  let requests = 0;
  for (const request of history(options)) {
    await send(request);
    requests++;
  }
  return requests;
}

const PAUSE_MS = 400;

/** A few spans a second until stopped. */
export async function sendLive(seed: number, send: Send, signal: AbortSignal): Promise<void> {
  const random = createRandom(seed);
  while (!signal.aborted) {
    await send(liveRequest(random, Date.now()));
    await sleep(PAUSE_MS * (0.5 + random.next()), undefined, { signal }).catch(() => {});
  }
}
