import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { hasConcept, supply, supplyContent } from "./generation-draft.ts";
import { at, openJson, stringOf } from "./json.ts";
import { messagesContent, toMessageList } from "./messages.ts";
import { spanName, supplyText } from "./span-facts.ts";

/** LiveKit agents: `lk.*` beside the conventions, with a counter of retries. */
export const livekit: Dialect = {
  name: "livekit",
  signs: ["lk."],
  sources: { conversationId: ["lk.room_name"], userId: ["lk.participant_identity"], resendCount: ["lk.retry_count"] },
  classify(view, draft) {
    const name = spanName(view);
    if (name === "agent_turn" || name === "function_tool" || name === "agent_session") return "wrapper";
    return hasConcept(draft, "model") && (name === "llm_request" || name === "llm_node") ? "call" : undefined;
  },
  complete(view, draft) {
    supply(draft, "operation", "chat", "lk");
    supply(draft, "systemInstructions", stringOf(attributeNamed(view, "lk.instructions")), "lk.instructions");
    const context = openJson(attributeNamed(view, "lk.chat_ctx"));
    const items = at(context, "items");
    if (Array.isArray(items)) supplyContent(draft, "prompt", messagesContent(toMessageList(items, "user")), "lk.chat_ctx");
    supplyText(view, draft, "prompt", ["lk.input_text", "lk.user_transcript", "lk.user_input"]);
    supplyText(view, draft, "response", ["lk.response.text", "lk.response.function_calls"]);
  },
};
