import type { Dialect } from "./dialect.ts";
import { gatherFlattened } from "./flattened.ts";
import { supplyParameters } from "./generation-draft.ts";
import { isObject } from "./json.ts";

/** What Anthropic's own SDK adds to the conventions that it follows otherwise. */
export const anthropic: Dialect = {
  name: "anthropic",
  signs: ["anthropic."],
  sources: { finishReasons: ["anthropic.message.stop_reason"] },
  classify: () => undefined,
  complete(view, draft) {
    const thinking = gatherFlattened(view, "anthropic.thinking.");
    if (isObject(thinking)) supplyParameters(draft, { thinking });
  },
};
