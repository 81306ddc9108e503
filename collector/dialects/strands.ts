import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { override } from "./generation-draft.ts";
import { numberOf } from "./json.ts";

/** Strands agents: the conventions; the time to the first token is told in milliseconds. */
export const strands: Dialect = {
  name: "strands",
  signs: ["event_loop.cycle_id", "gen_ai.event.start_time", "gen_ai.agent.tools"],
  sources: {},
  classify: () => undefined,
  complete(view, draft) {
    const millis = numberOf(attributeNamed(view, "gen_ai.server.time_to_first_token"));
    if (millis !== undefined) override(draft, "timeToFirstTokenSeconds", millis / 1000, "gen_ai.server.time_to_first_token");
  },
};
