import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";

/** Spring AI: its calls follow the conventions; its clients, advisors and stores around them name their kind. */
export const springAi: Dialect = {
  name: "spring-ai",
  signs: ["spring.ai."],
  sources: { conversationId: ["spring.ai.chat.client.conversation.id"] },
  classify: (view) => (attributeNamed(view, "spring.ai.kind") === undefined ? undefined : "wrapper"),
};
