import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { supply } from "./generation-draft.ts";
import { numberOf } from "./json.ts";

const FIRST_TOKEN = "gen_ai.server.time_to_first_token";
const SIGNS = ["event_loop.cycle_id", "gen_ai.event.start_time", "gen_ai.agent.tools"];
const NAME = "strands-agents";

/**
 * Strands agents: the conventions. The time to the first token stands under a name that others use, too: it tells it in milliseconds (dialect-traps 17),
 * OpenLIT and whoever else takes the name from the metric in seconds.
 */
export const strands: Dialect = {
  name: "strands",
  signs: [...SIGNS, FIRST_TOKEN],
  sources: {},
  classify: () => undefined,
  complete(view, draft) {
    const time = numberOf(attributeNamed(view, FIRST_TOKEN));
    if (time !== undefined) supply(draft, "timeToFirstTokenSeconds", isOwn(view) ? time / 1000 : time, FIRST_TOKEN);
  },
};

/** Whether the span is one of its own: it names itself as the provider, or says what only it says. */
const isOwn = (view: SpanView): boolean =>
  ["gen_ai.provider.name", "gen_ai.system"].some((name) => attributeNamed(view, name) === NAME) ||
  SIGNS.some((name) => attributeNamed(view, name) !== undefined);
