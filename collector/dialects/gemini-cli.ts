import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { conceptText, supply } from "./generation-draft.ts";

/** Gemini CLI: operations of its own, and answers as one content per chunk. */
export const geminiCli: Dialect = {
  name: "gemini-cli",
  signs: ["gen_ai.agent.name"],
  sources: {},
  classify: (view, draft) =>
    attributeNamed(view, "gen_ai.agent.name") === "gemini-cli" && conceptText(view, draft, "operation") === "llm_call" ? "call" : undefined,
  complete(view, draft) {
    if (attributeNamed(view, "gen_ai.agent.name") === "gemini-cli") supply(draft, "provider", "gcp.gemini", "gen_ai.agent.name");
  },
};
