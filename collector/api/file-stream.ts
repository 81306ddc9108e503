import { createHash } from "node:crypto";
import { RequestError } from "../base/request-error.ts";

/** A piece of a file, with the rows that begin in it. */
export interface FileChunk {
  readonly text: string;
  readonly rows: number;
}

/** What a receiver was given. */
export interface FileEnd {
  readonly rows: number;
  readonly sha256: string;
  readonly complete: boolean;
}

export interface FileStreamOptions {
  /** Aborted when the receiver leaves. */
  readonly leaving: AbortController;
  /** Told once, however it ends. */
  readonly onEnd: (end: FileEnd) => Promise<void>;
  readonly mayGoOn: () => Promise<boolean>;
  /** A receiver that takes nothing for so long is taken for gone: its place is another one's. */
  readonly stallMillis?: number;
}

const STALL_MS = 300_000;

/** Reads the next piece when the receiver wants more: a slow one makes nothing pile up, and one that leaves ends the reading, in the database too. A file whose key ends is broken off. */
export function fileStream(
  chunks: AsyncGenerator<FileChunk>,
  { leaving, onEnd, mayGoOn, stallMillis = STALL_MS }: FileStreamOptions,
): ReadableStream<Uint8Array> {
  const hash = createHash("sha256");
  let rows = 0;
  let ended = false;
  let stalled: NodeJS.Timeout | undefined;
  const end = async (complete: boolean): Promise<void> => {
    clearTimeout(stalled);
    if (ended) return;
    ended = true;
    await onEnd({ rows, sha256: hash.digest("hex"), complete });
  };
  const leave = async (): Promise<void> => {
    leaving.abort();
    await chunks.return(undefined);
    await end(false);
  };
  const giveUpLater = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    stalled = setTimeout(() => {
      controller.error(new RequestError("unavailable", "the receiver takes nothing any more"));
      void leave();
    }, stallMillis);
    stalled.unref();
  };
  return new ReadableStream<Uint8Array>(
    {
      start: giveUpLater,
      async pull(controller) {
        clearTimeout(stalled);
        try {
          if (!(await mayGoOn())) throw new RequestError("forbidden", "the key of this export has ended");
          const step = await chunks.next();
          if (step.done === true) {
            await end(true);
            controller.close();
            return;
          }
          rows += step.value.rows;
          const bytes = Buffer.from(step.value.text, "utf8");
          hash.update(bytes);
          controller.enqueue(bytes);
          if (!ended) giveUpLater(controller);
        } catch (error) {
          await end(false);
          controller.error(error);
        }
      },
      cancel: leave,
    },
    { highWaterMark: 0 },
  );
}
