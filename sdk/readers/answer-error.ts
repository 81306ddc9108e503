import { isShape, textAt } from "../generation/shape.ts";
import type { GenerationResult, Reader } from "../generation/types.ts";

/** What an answer, or a chunk of one, says went wrong, as `generation.fail` takes it; undefined where it says nothing of the kind. */
export function answerError(answer: unknown): unknown {
  if (!isShape(answer)) return undefined;
  const type = textAt(answer, "type");
  if (type === "response.failed") return answerError(answer["response"]) ?? failed("failed");
  const told = answer["error"] ?? answer["last_error"];
  if (isShape(told) || (typeof told === "string" && told !== "")) return told;
  if (type === "error") return { type: textAt(answer, "code") ?? type, message: textAt(answer, "message") ?? type };
  // A status is one of OpenAI's where the kind of answer is named; an application's own objects have them, too.
  const status = textAt(answer, "object") === undefined ? undefined : textAt(answer, "status");
  return status === "failed" || status === "cancelled" ? failed(status) : undefined;
}

const failed = (status: string): object => ({ type: status, message: `the provider says that the answer ${WORDS.get(status)}` });

const WORDS: ReadonlyMap<string, string> = new Map([
  ["failed", "failed"],
  ["cancelled", "was cancelled"],
]);

/** The same reader, which also tells of answers and chunks that are failures. */
export const tellingErrors = (reader: Reader): Reader => ({
  response: (response) => withError(reader.response(response), answerError(response)),
  stream() {
    const stream = reader.stream();
    let error: unknown;
    return {
      chunk(chunk) {
        error ??= answerError(chunk);
        stream.chunk(chunk);
      },
      result: () => withError(stream.result(), error),
    };
  },
});

const withError = (result: GenerationResult, error: unknown): GenerationResult => (error === undefined ? result : { ...result, error });
