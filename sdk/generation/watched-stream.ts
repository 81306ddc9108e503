import { COMPLETE, markWatched, STOPPED, type StreamObserver, showStep, watchedIterator } from "./streams.ts";
import { isWebStream, watchWebStream } from "./web-streams.ts";
import { watchOutcome, wrapMethod } from "./wrap-method.ts";

/**
 * Shows an observer what an application reads of a stream, by whichever of its members. The object stays the application's own: before those of its methods that
 * read, some are put that tell. False where that cannot be, since the object is frozen.
 */
export function watchStream(source: object, observer: StreamObserver): boolean {
  if (isWebStream(source)) return watchWebStream(source, observer);
  if (isNodeStream(source)) return watchEmissions(source, observer);
  if (hasMethod(source, "next") && !watchSteps(source, observer)) return false;
  // OpenAI's streams open their iterator by a method of this name, for `tee` as well; some have another iterator read that one.
  const isWatched = [Symbol.asyncIterator, "iterator"].every((name) =>
    wrapMethod(
      source,
      name,
      (own) =>
        (...given) =>
          watchedIterator(() => own.apply(source, given) as AsyncIterator<unknown>, observer, String(name)),
    ),
  );
  return isWatched && watchAnswers(source, observer);
}

const hasMethod = (source: object, name: string): boolean => typeof Reflect.get(source, name) === "function";

/** Node's own, and those that are made like them. */
const isNodeStream = (source: object): boolean =>
  "readableEnded" in source && ["on", "emit", "read", "pipe"].every((name) => hasMethod(source, name));

/** Whatever reads a stream of Node makes it emit its data. A listener instead would start it. */
function watchEmissions(source: object, observer: StreamObserver): boolean {
  return wrapMethod(source, "emit", (own) => (...given) => {
    const [event, value] = given as readonly unknown[];
    if (event === "data") observer.chunk(value, "data");
    else if (event === "end") observer.end(COMPLETE);
    else if (event === "error") observer.end({ kind: "failed", error: value });
    else if (event === "close") observer.end(STOPPED);
    return own.apply(source, given);
  });
}

/** A generator is its own iterator. */
function watchSteps(source: object, observer: StreamObserver): boolean {
  const show = (result: unknown): void => showStep(result as IteratorResult<unknown>, observer, "iterator");
  const failed = (error: unknown): void => observer.end({ kind: "failed", error });
  markWatched(source);
  return (
    wrapMethod(
      source,
      "next",
      (own) =>
        (...given) =>
          watchOutcome(own.apply(source, given), show, failed),
    ) &&
    wrapMethod(source, "return", (own) => (...given) => {
      observer.end(STOPPED);
      return own.apply(source, given);
    }) &&
    wrapMethod(source, "throw", (own) => (...given) => {
      failed(given[0]);
      return own.apply(source, given);
    })
  );
}

/** What the helpers of Anthropic's and OpenAI's libraries call the methods that wait for the whole answer. */
const ANSWERS = ["finalMessage", "finalResponse", "finalChatCompletion", "finalContent", "finalText", "done"] as const;
/** What they call the events that bring one chunk. */
const CHUNKS = ["streamEvent", "chunk", "event"] as const;

/** Helpers that read by themselves and give the whole answer in the end. */
function watchAnswers(source: object, observer: StreamObserver): boolean {
  const names = ANSWERS.filter((name) => hasMethod(source, name));
  if (names.length === 0) return true;
  listen(source, observer);
  const failed = (error: unknown): void => observer.end({ kind: "failed", error });
  const show = (value: unknown): void => (value === undefined ? endSoon(observer) : observer.answer(value));
  return names.every((name) =>
    wrapMethod(
      source,
      name,
      (own) =>
        (...given) =>
          watchOutcome(own.apply(source, given), show, failed),
    ),
  );
}

/** Without a listener of errors: having one keeps such a helper from telling of an error that nobody handles. */
function listen(source: object, observer: StreamObserver): void {
  const { on } = source as { on?: unknown };
  if (typeof on !== "function") return;
  const hear = (event: string, listener: (value: unknown) => void): unknown => on.call(source, event, listener);
  for (const event of CHUNKS) hear(event, (chunk) => observer.chunk(chunk, event));
  hear("end", () => {
    const { errored, aborted } = source as { errored?: unknown; aborted?: unknown };
    if (aborted === true) observer.end(STOPPED);
    else if (errored === true) setImmediate(() => observer.end({ kind: "failed", error: "the stream failed" }));
    else endSoon(observer);
  });
}

/** Where no chunk was seen, the whole answer may follow at once. */
function endSoon(observer: StreamObserver): void {
  if (observer.hasChunks) observer.end(COMPLETE);
  else setImmediate(() => observer.end(COMPLETE));
}
