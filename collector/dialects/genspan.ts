import * as A from "../../sdk/attributes.ts";
import { keyTable } from "../otlp/key-table.ts";
import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { builtOf, conceptText } from "./generation-draft.ts";
import { isObject, openJson } from "./json.ts";

/** What the announcement of something else than a call carries. A sender that had to drop content dropped the request. */
const OTHER_SIGNS = [A.GENSPAN_IMAGE_REQUEST, A.GENSPAN_IMAGE_STATUS, A.GENSPAN_RUN_STATUS].map((name) => keyTable.register(name));

/**
 * What our own SDK adds to the conventions. A span with `genspan.record` speaks about another one: a pending record announces its parent,
 * the rest (updates, attempts, images, items, runs) are no model calls, nor is the announcement of an image or a run.
 */
export const genspan: Dialect = {
  name: "semconv",
  signs: ["genspan."],
  sources: {
    record: [A.GENSPAN_RECORD],
    pendingParent: [A.GENSPAN_PENDING_PARENT],
    pendingSent: [A.GENSPAN_PENDING_SENT],
    promptModules: [A.GENSPAN_PROMPT_MODULES],
    responseCreatedAt: [A.GENSPAN_RESPONSE_CREATED_AT],
    errorTraceback: [A.GENSPAN_ERROR_TRACEBACK],
    runId: [A.GENSPAN_RUN_ID],
    itemId: [A.GENSPAN_ITEM_ID],
    entityType: [A.GENSPAN_ENTITY_TYPE],
    entityId: [A.GENSPAN_ENTITY_ID],
    qualityStatus: [A.GENSPAN_QUALITY_STATUS],
    qualityIssues: [A.GENSPAN_QUALITY_ISSUES],
    qualityScore: [A.GENSPAN_QUALITY_SCORE],
    costAmount: [A.GENSPAN_COST_AMOUNT],
    costCurrency: [A.GENSPAN_COST_CURRENCY],
    costSource: [A.GENSPAN_COST_SOURCE],
  },
  classify(view, draft) {
    const record = conceptText(view, draft, "record");
    if (record === undefined) return undefined;
    const ofCall = record === "pending" && OTHER_SIGNS.every((key) => view.attributes.find(key) < 0);
    return ofCall ? "pending" : "wrapper";
  },
  complete(view, draft) {
    const metadata = openJson(attributeNamed(view, A.GENSPAN_METADATA));
    if (isObject(metadata)) builtOf(draft).metadata = { ...builtOf(draft).metadata, ...metadata };
  },
};
