import { describe, expect, it } from "vitest";
import { createContent, cut, truncationMark } from "../../../../sdk/core/content.ts";
import { type ContentPolicy, resolveContent } from "../../../../sdk/core/content-policy.ts";
import { createProblems } from "../../../../sdk/core/problems.ts";

const contentOf = (policy: ContentPolicy, redact?: (text: string, place: string) => string, attributeBytes = 1_000) =>
  createContent({ policy: resolveContent(policy, attributeBytes), redact, problems: createProblems(() => {}) });

describe("the content policy", () => {
  it("records everything by default", () => {
    const content = contentOf("full");
    expect([content.text("p", "prompt"), content.text("o", "output"), content.text("r", "reasoning")]).toEqual(["p", "o", "r"]);
  });

  it("records no text of prompts and answers as metadata", () => {
    const content = contentOf("metadata");
    const places = ["prompt", "system", "tools", "variables", "output", "reasoning", "image"] as const;
    expect(places.map((place) => content.text("secret", place))).toEqual(places.map(() => undefined));
  });

  it("decides kind by kind", () => {
    const content = contentOf({ prompts: false, reasoning: false });
    expect([content.text("p", "system"), content.text("o", "output"), content.text("r", "reasoning")]).toEqual([undefined, "o", undefined]);
  });

  it("redacts each text, told where it stands", () => {
    const content = contentOf("full", (text, place) => text.replace("4111", `<${place}>`));
    expect(content.text("card 4111", "prompt")).toBe("card <prompt>");
  });

  it("leaves a text out when its redaction throws or gives no text", () => {
    const throwing = contentOf("full", () => {
      throw new Error("no");
    });
    const forgetful = contentOf("full", () => undefined as unknown as string);
    expect([throwing.text("secret", "prompt"), forgetful.text("secret", "prompt")]).toEqual([undefined, undefined]);
  });

  it("redacts before it cuts: no half of a secret stays", () => {
    const content = contentOf({ maxBytes: 8 }, (text) => text.replace(/secret-\d+/, "***"));
    expect(content.text("12345 secret-42", "prompt")).toBe(`12345 **${truncationMark(1)}`);
  });
});

describe("cutting to bytes", () => {
  it.each([
    ["what fits stays", "abc", 3, "abc"],
    ["single bytes", "abcdef", 3, `abc${truncationMark(3)}`],
    ["between characters of two bytes", "ééé", 3, `é${truncationMark(4)}`],
    ["between characters of three bytes", "€€", 5, `€${truncationMark(3)}`],
    ["between characters of four bytes", "🎉🎉", 7, `🎉${truncationMark(4)}`],
    ["to nothing", "🎉", 2, truncationMark(4)],
  ])("%s", (_, text, maxBytes, expected) => {
    expect(cut(text, maxBytes)).toBe(expected);
  });

  it("never makes a broken character of a good text, wherever it cuts", () => {
    const text = "aé€🎉".repeat(20);
    for (let bytes = 0; bytes <= Buffer.byteLength(text); bytes++) {
      const kept = cut(text, bytes)!.replace(/…\[truncated.*$/, "");
      expect(text.startsWith(kept), `${bytes}`).toBe(true);
      expect(Buffer.byteLength(kept)).toBeGreaterThan(bytes - 4);
    }
  });
});
