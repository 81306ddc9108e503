import type { GenerationResult, StreamReader } from "./types.ts";

/** How the reading of a stream ended. */
export type StreamEnd =
  | { readonly kind: "complete" }
  /** The application stopped reading before the end. */
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly error: unknown };

export interface StreamWatch {
  readonly reader: StreamReader | undefined;
  onFirst(): void;
  /** Called once, with what had come. */
  onEnd(end: StreamEnd, result: GenerationResult | undefined): void;
  /** Runs a step of the SDK's own, so that no fault of it reaches the reading application. */
  guard(step: () => void): void;
}

/** The chunks of `source`, untouched and at the same pace, each shown to the watch on its way. */
export function watchedIterator<C>(source: AsyncIterable<C>, watch: StreamWatch): AsyncIterator<C> {
  let isFirst = true;
  let ended = false;

  function end(how: StreamEnd): void {
    if (ended) return;
    ended = true;
    watch.guard(() => watch.onEnd(how, readResult(watch)));
  }

  function show(result: IteratorResult<C>): IteratorResult<C> {
    if (result.done === true) {
      end({ kind: "complete" });
      return result;
    }
    watch.guard(() => {
      if (isFirst) watch.onFirst();
      isFirst = false;
      watch.reader?.chunk(result.value);
    });
    return result;
  }

  function failed(error: unknown): never {
    end({ kind: "failed", error });
    throw error;
  }

  /** Whatever the application's stream throws is the end of the generation, too. */
  function iteratorOf(): AsyncIterator<C> {
    try {
      return source[Symbol.asyncIterator]();
    } catch (error) {
      return failed(error);
    }
  }

  const inner = iteratorOf();
  const iterator: AsyncIterator<C> & AsyncIterable<C> = {
    async next(...given) {
      let result: IteratorResult<C>;
      try {
        result = await inner.next(...given);
      } catch (error) {
        return failed(error);
      }
      return show(result);
    },
    async return(value) {
      end({ kind: "stopped" });
      return inner.return === undefined ? { done: true, value: (await value) as unknown } : await inner.return(value);
    },
    async throw(error) {
      end({ kind: "failed", error });
      if (inner.throw === undefined) throw error;
      return await inner.throw(error);
    },
    [Symbol.asyncIterator]: () => iterator,
  };
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

/** The object itself with another way to read it; all its other members (controller, helpers) stay its own. */
export function withIterator<T extends object, C>(source: T & AsyncIterable<C>, iterate: () => AsyncIterator<C>): T {
  return new Proxy(source, {
    get(target, property) {
      if (property === Symbol.asyncIterator) return iterate;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? (value as (...given: unknown[]) => unknown).bind(target) : value;
    },
  });
}

export const isAsyncIterable = (value: unknown): value is object & AsyncIterable<unknown> =>
  typeof value === "object" && value !== null && typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === "function";
