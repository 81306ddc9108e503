import { isShape, known, listAt, numberAt, type Shape, textAt } from "../generation/shape.ts";
import type { GenerationResult, Reader, Usage } from "../generation/types.ts";
import { providerReader } from "./provider-reader.ts";

/** Answers of Anthropic's messages API. */
export const anthropic: Reader = providerReader({
  response(response) {
    const content = listAt(response, "content");
    return known({
      provider: "anthropic",
      messages: content.length === 0 ? [] : [{ role: "assistant", content }],
      finishReason: textAt(response, "stop_reason"),
      responseId: textAt(response, "id"),
      responseModel: textAt(response, "model"),
      usage: anthropicUsage(isShape(response) ? response["usage"] : undefined),
    });
  },
  stream: () => {
    let message: Shape = {};
    let usage: Shape = {};
    const blocks: Shape[] = [];
    return {
      chunk(event) {
        if (!isShape(event)) return;
        if (isShape(event["message"])) message = event["message"];
        usage = { ...usage, ...usageOf(event["message"]), ...usageOf(event) };
        if (isShape(event["delta"]) && event["type"] === "message_delta") message = { ...message, ...event["delta"] };
        const index = numberAt(event, "index") ?? -1;
        if (index < 0 || index > 10_000) return;
        if (isShape(event["content_block"])) blocks[index] = event["content_block"];
        if (event["type"] === "content_block_delta") blocks[index] = withDelta(blocks[index] ?? {}, event["delta"]);
      },
      result: (): GenerationResult =>
        anthropic.response({ ...message, usage, content: blocks.filter((block) => block !== undefined).map(finished) }),
    };
  },
});

/** Without cached tokens, which are counted beside the others. */
function anthropicUsage(usage: unknown): Usage | undefined {
  if (!isShape(usage)) return undefined;
  return known({
    input: numberAt(usage, "input_tokens"),
    output: numberAt(usage, "output_tokens"),
    cacheRead: numberAt(usage, "cache_read_input_tokens"),
    cacheWrite: numberAt(usage, "cache_creation_input_tokens"),
    cacheInInput: false,
  });
}

/** Later events repeat the counts that they know and leave out or null the others. */
function usageOf(event: unknown): Shape {
  if (!isShape(event) || !isShape(event["usage"])) return {};
  return Object.fromEntries(Object.entries(event["usage"]).filter(([, value]) => value !== null && value !== undefined));
}

const DELTAS = ["text", "thinking", "partial_json"] as const;

function withDelta(block: Shape, delta: unknown): Shape {
  const name = DELTAS.find((each) => textAt(delta, each) !== undefined);
  return name === undefined ? block : { ...block, [name]: `${textAt(block, name) ?? ""}${textAt(delta, name)}` };
}

/** The input of a tool call comes as pieces of JSON text. */
function finished({ partial_json: input, ...block }: Shape): Shape {
  return typeof input === "string" ? { ...block, input } : block;
}
