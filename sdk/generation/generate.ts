import { current } from "../core/current.ts";
import { readAny } from "../readers/any.ts";
import { isStreaming, observeStream, openGeneration } from "./generation.ts";
import { COMPLETE, isAsyncIterable } from "./streams.ts";
import type { Generation, GenerationResult, GenerationStart, Reader, ResponseReader } from "./types.ts";
import { watchStream } from "./watched-stream.ts";

/**
 * Makes one call of a model and records it: what was asked for before, what came of it after. The call's result is returned, and what it throws is
 * rethrown, untouched. Without `read` the answers of OpenAI, Anthropic, Gemini and the Vercel AI SDK are known by their structure. A streamed answer ends the
 * generation when it has been read, in whichever way: as an iterator, by a reader, as a stream of Node, by a method that waits for the whole answer. One that is never
 * read leaves it open, one that is frozen ends it without its answer, and one that is a member of the result (the AI SDK's streamText) is handed to `generation.stream()`.
 *
 * ```ts
 * const messages = [{ role: "user", content: "Why is the sky blue?" }];
 * const answer = await generate({ model: "gpt-5-nano", provider: "openai", messages }, () =>
 *   openai.chat.completions.create({ model: "gpt-5-nano", messages }),
 * );
 * ```
 */
export async function generate<T>(
  start: GenerationStart,
  call: (generation: Generation) => T | Promise<T>,
  read?: ResponseReader<T>,
): Promise<T> {
  return runGeneration(openGeneration(start), call, read);
}

/** {@link generate} with a generation that has begun. */
export async function runGeneration<T>(
  generation: Generation,
  call: (generation: Generation) => T | Promise<T>,
  read: ResponseReader<T> | undefined,
): Promise<T> {
  // The record of the call must be there before the call is made, or the wait for it be over.
  if (current().settings.pending === "await") await generation.recorded;
  let response: T;
  try {
    response = await generation.run(() => call(generation));
  } catch (error) {
    generation.fail(error);
    throw error;
  }
  const { problems } = current().recorder;
  return problems.guard("reading an answer", () => finish(generation, response, read), response);
}

function finish<T>(generation: Generation, response: T, read: ResponseReader<T> | undefined): T {
  if (generation.ended || isStreaming(generation)) return response;
  const reader: Reader = typeof read === "object" ? read : readAny;
  if (isAsyncIterable(response) && typeof read !== "function") {
    watch(generation, response, reader);
    return response;
  }
  const isUnread = typeof read !== "function" && holdsStream(response);
  generation.succeed(isUnread ? undefined : resultOf(response, read ?? reader));
  return response;
}

/** The AI SDK's streaming results: looking at their members would already read the stream. */
function holdsStream(response: unknown): boolean {
  if (typeof response !== "object" || response === null || !("textStream" in response)) return false;
  current().recorder.problems.report(
    "configuration",
    "an answer that holds its stream is read by generation.stream(result.fullStream, read.vercel)",
  );
  return true;
}

/** A stream that cannot be watched ends its generation at once: nothing else would. */
function watch(generation: Generation, response: object, reader: Reader): void {
  const { problems } = current().recorder;
  const observer = observeStream(generation, reader);
  if (observer === undefined || problems.guard("watching a stream", () => watchStream(response, observer), false)) return;
  observer.end(COMPLETE);
  problems.report("configuration", "a frozen stream cannot be watched and is recorded without its answer: read it by generation.stream()");
}

/** A reader that throws costs what it would have read; the generation is a success all the same. */
function resultOf<T>(response: T, read: ResponseReader<T>): GenerationResult | undefined {
  return current().recorder.problems.guard(
    "reading an answer",
    () => (typeof read === "function" ? read(response) : read.response(response)),
    undefined,
  );
}
