import type { Dialect } from "./dialect.ts";

/** Semantic Kernel and Microsoft's agent framework: the conventions, with two early names for the counts of tokens. */
export const semanticKernel: Dialect = {
  name: "semantic-kernel",
  signs: ["gen_ai.response.prompt_tokens", "gen_ai.response.completion_tokens"],
  sources: { inputTokens: ["gen_ai.response.prompt_tokens"], outputTokens: ["gen_ai.response.completion_tokens"] },
  classify: () => undefined,
};
