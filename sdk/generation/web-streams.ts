import { STOPPED, type StreamObserver, showStep, watchedIterator } from "./streams.ts";
import { type Method, watchOutcome, wrapMethod } from "./wrap-method.ts";

export const isWebStream = (source: object): boolean => source instanceof ReadableStream;

/** Shows an observer what is read of a stream of the web platform, by whichever of its methods. False where it is frozen. */
export function watchWebStream(given: object, observer: StreamObserver): boolean {
  const source = given as ReadableStream;
  const readers = source.getReader as Method;
  const isIterated = source[Symbol.asyncIterator] === ReadableStream.prototype[Symbol.asyncIterator];
  /** The same chunks by a stream that another method of the platform may read. */
  const relayed = (): ReadableStream => relay(watchReader(readers.call(source) as ReadableStreamDefaultReader, observer));
  const iterate = (own: Method): Method =>
    function iterateWatched(...given) {
      return watchedIterator(() => own.apply(source, given) as AsyncIterator<unknown>, observer);
    };
  const through = (own: Method): Method =>
    function readWatched(...given) {
      return own.apply(source.locked ? source : relayed(), given);
    };
  return (
    wrapMethod(
      source,
      "getReader",
      (own) =>
        (...given) =>
          watchReader(own.apply(source, given) as ReadableStreamDefaultReader, observer),
    ) &&
    ["tee", "pipeTo", "pipeThrough"].every((name) => wrapMethod(source, name, through)) &&
    // An iterator that is not the platform's reads by `getReader`.
    (!isIterated || [Symbol.asyncIterator, "values"].every((name) => wrapMethod(source, name, iterate))) &&
    wrapMethod(source, "cancel", (own) => (...given) => {
      if (!source.locked) observer.end(STOPPED);
      return own.apply(source, given);
    })
  );
}

function watchReader(reader: ReadableStreamDefaultReader, observer: StreamObserver): ReadableStreamDefaultReader {
  let isReleased = false;
  const show = (result: unknown): void => showStep(result as IteratorResult<unknown>, observer, "reader");
  /** A reader that is given back fails what it still waits for, and another may go on. */
  const failed = (error: unknown): void => {
    if (!isReleased) observer.end({ kind: "failed", error });
  };
  wrapMethod(
    reader,
    "read",
    (own) =>
      (...given) =>
        watchOutcome(own.apply(reader, given), show, failed),
  );
  wrapMethod(reader, "releaseLock", (own) => (...given) => {
    isReleased = true;
    return own.apply(reader, given);
  });
  wrapMethod(reader, "cancel", (own) => (...given) => {
    observer.end(STOPPED);
    return own.apply(reader, given);
  });
  return reader;
}

/** Reads no chunk before it is asked for. */
const relay = (reader: ReadableStreamDefaultReader): ReadableStream =>
  new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
