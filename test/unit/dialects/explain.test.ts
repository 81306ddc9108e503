import { describe, expect, it } from "vitest";
import { explainFile } from "../../../collector/actions/map.ts";
import { SetupError } from "../../../collector/base/setup-error.ts";

const fixture = (name: string): string => new URL(`../../fixtures/clients/${name}`, import.meta.url).pathname;

async function rowsOf(name: string): Promise<unknown[][]> {
  const rows: unknown[][] = [];
  for await (const batch of explainFile(fixture(name)).batches) rows.push(...batch.map((row) => [...row]));
  return rows;
}

describe("a recorded body, explained", () => {
  it("says of each concept which attribute it came from, and what only stays on the span", async () => {
    const rows = await rowsOf("openinference-openai/chat.pb");
    const told = (concept: string) => rows.find((row) => row[3] === concept)?.slice(4);
    expect(told("inputTokens")).toEqual(["llm.token_count.prompt", 29]);
    expect(told("model")).toEqual(["llm.invocation_parameters", "gpt-4o-mini"]);
    expect(told("prompt")?.[0]).toBe("llm.input_messages");
    expect(rows.filter((row) => row[3] === null).map((row) => row[4])).toContain("openinference.span.kind");
    expect(new Set(rows.map((row) => row[2]))).toEqual(new Set(["openinference"]));
  });

  it("tells calls from the wrappers around them", async () => {
    const rows = await rowsOf("vercel-legacy/generateText.pb");
    expect(new Map(rows.map((row) => [row[0], row[1]]))).toEqual(
      new Map([
        ["ai.generateText.doGenerate", "call"],
        ["ai.generateText", "wrapper-with-usage"],
      ]),
    );
  });

  it.each([
    ["openinference-openai/none.pb", "cannot be read"],
    ["openinference-openai/chat.meta.json", "holds no spans"],
    ["../../unit/dialects/explain.test.ts", "is no body of OTLP traces"],
  ])("%s is refused with a sentence that says what to do", async (name, sentence) => {
    await expect(rowsOf(name)).rejects.toThrow(SetupError);
    await expect(rowsOf(name)).rejects.toThrow(sentence);
  });
});
