import { describe, expect, it } from "vitest";
import { toldBy } from "../../support/told.ts";
import { OPENINFERENCE_ANTHROPIC } from "./recorded/openinference-anthropic.ts";

const client = OPENINFERENCE_ANTHROPIC.client;
const answered = Object.keys(OPENINFERENCE_ANTHROPIC.bodies).filter((name) => !/\d$/.test(name));

describe("a call of Anthropic's client that OpenInference and the client itself tell", () => {
  it.each(answered)("%s has the same counts in both", (name) => {
    const counts = (dialect: string) =>
      toldBy(client, name)
        .filter((row) => row["dialect"] === dialect)
        .map((row) => [row["tokens_prompt"], row["tokens_completion"], row["tokens_cache_read"], row["tokens_cache_write"]]);
    expect(counts("semconv").length).toBeGreaterThan(0);
    expect(counts("semconv")).toEqual(counts("openinference"));
  });

  it("has the same id of the answer in both, by which they can be folded", () => {
    const ids = toldBy(client, "messages").map((row) => row["response_id"]);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });
});
