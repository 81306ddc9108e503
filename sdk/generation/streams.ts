import type { GenerationResult, StreamReader } from "./types.ts";

/** How the reading of a stream ended. */
export type StreamEnd =
  | { readonly kind: "complete" }
  /** The application stopped reading before the end. */
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly error: unknown };

export const COMPLETE: StreamEnd = { kind: "complete" };
export const STOPPED: StreamEnd = { kind: "stopped" };

export interface StreamWatch {
  readonly reader: StreamReader | undefined;
  /** Reads a whole answer, where the stream's object gives one in the end. */
  readonly whole?: ((answer: unknown) => GenerationResult | undefined) | undefined;
  onFirst(): void;
  /** Called once, with what had come. */
  onEnd(end: StreamEnd, result: GenerationResult | undefined): void;
  /** Runs a step of the SDK's own, so that no fault of it reaches the reading application. */
  guard(step: () => void): void;
}

/** Is shown what comes of one stream, by whichever ways the application reads it. No method throws. */
export interface StreamObserver {
  /** One chunk. `way` says how it was read: chunks that come by several ways are counted by the first of them. */
  chunk(chunk: unknown, way: string): void;
  readonly hasChunks: boolean;
  /** Of several ends the first counts. */
  end(how: StreamEnd): void;
  /** The stream gave its whole answer: an object that the reader understands, or its text. */
  answer(answer: unknown): void;
}

export function createStreamObserver(watch: StreamWatch): StreamObserver {
  let first: string | undefined;
  let ended = false;

  function finish(how: StreamEnd, resultOf: () => GenerationResult | undefined): void {
    if (ended) return;
    ended = true;
    watch.guard(() => watch.onEnd(how, resultOf()));
  }

  return {
    get hasChunks() {
      return first !== undefined;
    },
    chunk(chunk, way) {
      if (ended || (first ?? way) !== way) return;
      watch.guard(() => {
        if (first === undefined) watch.onFirst();
        first = way;
        watch.reader?.chunk(chunk);
      });
    },
    end: (how) => finish(how, () => readResult(watch)),
    answer: (answer) => finish(COMPLETE, () => wholeResult(watch, answer, first !== undefined)),
  };
}

/** Iterators of this module, which are not to be watched twice. */
const watched = new WeakSet<object>();

export const markWatched = (iterator: object): unknown => watched.add(iterator);

/** Shows an observer what one step of an iterator, or one read of a reader, gave. */
export function showStep({ done, value }: IteratorResult<unknown>, observer: StreamObserver, way: string): void {
  if (done === true) observer.end(COMPLETE);
  else observer.chunk(value, way);
}

/** The chunks of what `open` opens, untouched and at the same pace, each shown to the observer on its way; `way` is the observer's. */
export function watchedIterator<C>(open: () => AsyncIterator<C>, observer: StreamObserver, way = "iterator"): AsyncIterator<C> {
  function failed(error: unknown): never {
    observer.end({ kind: "failed", error });
    throw error;
  }

  /** Whatever the application's stream throws is the end of the generation, too. */
  function opened(): AsyncIterator<C> {
    try {
      return open();
    } catch (error) {
      return failed(error);
    }
  }

  const inner = opened();
  if (watched.has(inner)) return inner;
  const iterator: AsyncIterator<C> & AsyncIterable<C> = {
    async next(...given) {
      let result: IteratorResult<C>;
      try {
        result = await inner.next(...given);
      } catch (error) {
        return failed(error);
      }
      showStep(result, observer, way);
      return result;
    },
    async return(value) {
      observer.end(STOPPED);
      return inner.return === undefined ? { done: true, value: (await value) as unknown } : await inner.return(value);
    },
    async throw(error) {
      observer.end({ kind: "failed", error });
      if (inner.throw === undefined) throw error;
      return await inner.throw(error);
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  watched.add(iterator);
  return iterator;
}

function readResult({ reader }: StreamWatch): GenerationResult | undefined {
  try {
    return reader?.result();
  } catch {
    // What could not be put together is left out; the end itself is recorded.
    return undefined;
  }
}

/** What the answer itself says, where it says anything; else what its chunks said. */
function wholeResult(watch: StreamWatch, answer: unknown, hasChunks: boolean): GenerationResult | undefined {
  if (typeof answer === "object" && answer !== null) {
    const told = watch.whole?.(answer);
    if (told !== undefined && ((told.messages?.length ?? 0) > 0 || told.text !== undefined || told.usage !== undefined)) return told;
  }
  return typeof answer === "string" && !hasChunks ? { text: answer } : readResult(watch);
}

export const isAsyncIterable = (value: unknown): value is object & AsyncIterable<unknown> =>
  typeof value === "object" && value !== null && typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === "function";
