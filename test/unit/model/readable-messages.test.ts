import { describe, expect, it } from "vitest";
import { readableMessages } from "../../../collector/model/readable-messages.ts";

const text = (content: string) => ({ type: "text", content });

describe("messages made readable", () => {
  it("stand under their roles, with line breaks that are line breaks", () => {
    const stored = JSON.stringify([
      { role: "system", parts: [text("Be exact.\nBe brief.")] },
      { role: "user", parts: [text("Why?"), text('"Because"')] },
    ]);
    expect(readableMessages(stored)).toBe('system:\nBe exact.\nBe brief.\nuser:\nWhy?\n"Because"');
  });

  it("are instructions, too, which have no role", () => {
    expect(readableMessages(JSON.stringify([text("One."), text("Two.\nThree.")]))).toBe("One.\nTwo.\nThree.");
  });

  it("leave nothing out: other parts and fields stay as JSON", () => {
    const call = { type: "tool_call", name: "look_up", arguments: { term: "Pacht" } };
    const marked = { ...text("a"), cache: true };
    const lines = readableMessages(JSON.stringify([{ role: "assistant", parts: [call, marked], finish_reason: "stop" }]));
    expect(lines).toBe(`assistant: {"finish_reason":"stop"}\n${JSON.stringify(call, null, 2)}\n${JSON.stringify(marked, null, 2)}`);
  });

  it.each(["plain text", "[1, 2]", "[]", "[null]", '["a"]', "[broken", '[{"name":"no part"}]', '[{"parts":1}]', ""])(
    "are not seen in %j, which stays as it is",
    (stored) => {
      expect(readableMessages(stored)).toBe(stored);
    },
  );

  it.each(['[{"parts":[null]}]', '[{"role":null,"parts":[{"type":"text","content":5}]}]'])("may be odd: %s", (stored) => {
    expect(typeof readableMessages(stored)).toBe("string");
  });
});
