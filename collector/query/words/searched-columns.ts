/** Columns of generation_logs in which words are looked for, and which signatures cover. */
export const SEARCHED_COLUMNS = [
  "prompt_full_text",
  "response_full_text",
  "system_instructions",
  "reasoning_content",
  "error_message",
] as const;
