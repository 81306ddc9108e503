import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { conceptText, override, withdraw } from "./generation-draft.ts";
import { numberOf } from "./json.ts";

/** Strands agents: the conventions; calls itself the provider, and tells the time to the first token in milliseconds. */
export const strands: Dialect = {
  name: "strands",
  signs: ["event_loop.cycle_id", "gen_ai.event.start_time", "gen_ai.agent.tools"],
  sources: {},
  classify: () => undefined,
  complete(view, draft) {
    if (conceptText(view, draft, "provider") === "strands-agents") withdraw(draft, "provider");
    const millis = numberOf(attributeNamed(view, "gen_ai.server.time_to_first_token"));
    if (millis !== undefined) override(draft, "timeToFirstTokenSeconds", millis / 1000, "gen_ai.server.time_to_first_token");
  },
};
