import type { Dialect } from "./dialect.ts";

/** What Anthropic's own SDK adds to the conventions that it follows otherwise. */
export const anthropic: Dialect = {
  name: "anthropic",
  signs: ["anthropic."],
  sources: { finishReasons: ["anthropic.message.stop_reason"] },
  classify: () => undefined,
};
