import type { Reader } from "../query/reader.ts";
import type { Watch } from "./hub.ts";
import { type Position, writePosition } from "./position.ts";
import { type LiveQuestion, presentPosition, readNew } from "./read-new.ts";

export interface StreamOptions extends LiveQuestion {
  readonly reader: Reader;
  readonly watch: Watch;
  /** Where the receiver was when it lost its connection; undefined begins now. */
  readonly from: Position | undefined;
  /** Asked before every look: a stream ends with what it was opened by. */
  readonly mayGoOn: () => Promise<boolean>;
  /** Streams look by themselves so often, should no hint come. */
  readonly pollMillis?: number;
  readonly now?: () => number;
}

const POLL_MS = 3_000;
/** A receiver that was away for longer has missed too much to be told one by one. */
const MAX_AWAY_SECONDS = 3_600;
/** Proxies close connections on which nothing moves. */
const HEARTBEAT_MS = 15_000;
const RETRY_MS = 2_000;
/** At most so many looks a second, however many hints come. */
const PAUSE_MS = 250;

const event = (name: string, data: unknown, position: Position): string =>
  `id: ${writePosition(position)}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

/**
 * Server-sent events: `ready` with the position where the stream begins (or `reset`, when it could not go on where it was left), then `generation` for every
 * call. The next piece is made when the receiver wants it. An error of the database ends the stream; its receiver comes back with the last position.
 * Where it may no longer go on it ends without a word: whoever comes back is told why.
 */
export async function* eventStream(options: StreamOptions): AsyncGenerator<string> {
  const { reader, watch, from, projectId, mayGoOn, pollMillis = POLL_MS, now = Date.now } = options;
  const isTooOld = from !== undefined && now() / 1_000 - from.atSeconds > MAX_AWAY_SECONDS;
  let position = from === undefined || isTooOld ? await presentPosition(reader, projectId) : from;
  let spokeAt = now();
  yield `retry: ${RETRY_MS}\n${event(isTooOld ? "reset" : "ready", {}, position)}`;
  while (!watch.signal.aborted && (await mayGoOn())) {
    const { found, more, position: next } = await readNew(reader, options, position);
    for (const arrival of found) {
      yield event("generation", arrival.row, arrival.position);
      spokeAt = now();
    }
    position = next;
    if (more) continue;
    if (now() - spokeAt >= HEARTBEAT_MS) {
      yield ": still here\n\n";
      spokeAt = now();
    }
    await watch.wait(pollMillis);
    if (!watch.signal.aborted) await new Promise((resolve) => setTimeout(resolve, Math.min(PAUSE_MS, pollMillis)));
  }
}
