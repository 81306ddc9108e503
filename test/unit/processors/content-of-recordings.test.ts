import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Signal } from "../../../collector/base/signal.ts";
import { factsIn, hasContentBody, isContentName, mayBeContent } from "../../../collector/dialects/content-names.ts";
import { createContentRemover } from "../../../collector/processors/content-removal.ts";
import { atOnce } from "../../../collector/processors/steps.ts";
import type { Row } from "../../support/copy-reader.ts";
import { encodeBody, rowsOf } from "../../support/encoding.ts";
import { asInJson, humanTexts, humanTextsIn } from "../../support/human-texts.ts";
import { protobufOf, recordingsOf, signalOf } from "../../support/recordings.ts";
import { isThere, thirdPartyCases } from "../dialects/third-party-cases.ts";

const inSteps = createContentRemover({ isContentName, hasContentBody, mayBeContent, factsIn }, []);
const remove = (...request: Parameters<typeof inSteps>): number => atOnce(inSteps(...request));
const FACTS = `span_id operation_name provider_name model_name model_temperature model_max_tokens response_model response_id
  tokens_prompt tokens_completion tokens_total tokens_reasoning tokens_cache_read tokens_cache_write duration_ms
  time_to_first_token_ms generation_status error_message error_type cost_amount cost_currency conversation_id user_id`.split(/\s+/);

/** Takes the content out of a body and looks for it; returns how many texts of people and models there were. */
function check(name: string, body: Buffer, signal: Signal): number {
  const texts = humanTextsIn(body, signal);
  const before = rowsOf(encodeBody(Buffer.from(body), signal), "generation_logs");
  remove(body, signal);
  expect(
    texts.filter((text) => body.includes(text) || body.includes(asInJson(text))),
    name,
  ).toEqual([]);
  const after = rowsOf(encodeBody(body, signal), "generation_logs");
  expect(humanTexts(after), name).toEqual([]);
  const facts = (rows: readonly Row[]) => rows.map((row) => Object.fromEntries(FACTS.map((column) => [column, row[column]])));
  expect(facts(after), name).toEqual(facts(before));
  return texts.length;
}

describe("without content no word of a recorded body is left, and its calls keep their facts", () => {
  const clients = readdirSync(new URL("../../fixtures/clients/", import.meta.url), { withFileTypes: true });
  const withoutWords = new Set(["autoinst-openai6", "nodesdk-defaults", "logfire", "openinference-longchat"]);

  it.each(clients.filter((entry) => entry.isDirectory()).map(({ name }) => name))("%s", (client) => {
    let texts = 0;
    for (const recording of recordingsOf(client)) {
      const signal = signalOf(recording);
      if (signal !== undefined) texts += check(recording.name, protobufOf(recording, signal), signal);
    }
    expect(texts > 0).toBe(!withoutWords.has(client));
  });

  for (const folder of ["logfire", "openinference-vercel-v6", "pydantic-ai", "vercel-ai"]) {
    it.skipIf(!isThere(folder))(`test data of other projects: ${folder}`, () => {
      const texts = thirdPartyCases(folder).map(({ name, body }) => check(name, body, "traces"));
      expect(texts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
    });
  }
});
