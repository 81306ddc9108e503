import { afterAll, beforeAll, expect, it } from "vitest";
import type { GenerationSummary } from "../../../collector/query/generations/list.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { generationId, storeGenerations } from "../../support/generation-rows.ts";

interface Page {
  readonly data: readonly GenerationSummary[];
  readonly next: string | null;
}
interface Failure {
  readonly error: { readonly code: string; readonly message: string; readonly faults?: readonly string[] };
}

const HOUR_MS = 3_600_000;

describeEachServer("the list of model calls", (server) => {
  let rig: ApiRig;
  const now = Date.now();
  const hoursAgo = (hours: number): Date => new Date(now - hours * HOUR_MS);

  beforeAll(async () => {
    rig = await createApiRig(server);
    await storeGenerations(rig.owner, [
      { start_time: hoursAgo(1), model_name: "gpt-5", duration_ms: 100, tokens_total: 10, cost_amount: "0.25", environment: "production" },
      {
        start_time: hoursAgo(2),
        model_name: "gpt-5-nano",
        duration_ms: 2_500,
        tokens_total: 20,
        prompt_full_text: "Erkläre 100% den_Satz",
        entity_type: "urn:x",
        entity_id: "7",
      },
      {
        start_time: hoursAgo(3),
        model_name: "claude",
        duration_ms: null,
        generation_status: "failed",
        error_type: "rate_limit",
        error_message: "429: slow down",
      },
      {
        start_time: hoursAgo(30),
        model_name: "claude",
        entity_type: "lesson",
        entity_id: "a:b",
        tokens_total: "9007199254740993",
        attempts_count: 3,
      },
      { start_time: hoursAgo(1), model_name: "gpt-5", project_id: 2 },
    ]);
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  const numbersOf = async (query: string): Promise<number[]> => {
    const { status, body } = await rig.get<Page>(`/api/generations${query}`);
    expect([query, status]).toEqual([query, 200]);
    return body.data.map(({ id }) => Number.parseInt(id.slice(0, 32), 16));
  };

  it("shows the calls of one project, newest first", async () => {
    expect(await numbersOf("")).toEqual([1, 2, 3, 4]);
    const { body } = await rig.get<Page>("/api/generations?limit=1");
    expect(body.data[0]).toMatchObject({
      id: generationId(1),
      start_time: hoursAgo(1).toISOString().replace("Z", "000Z"),
      cost_amount: 0.25,
    });
  });

  it.each([
    ["?model=gpt-5", [1]],
    ["?model=gpt-5&model=claude", [1, 3, 4]],
    ["?-model=claude", [1, 2]],
    ["?-model=gpt-5&-model=claude", [2]],
    ["?env=(none)", [2, 3, 4]],
    ["?-env=production", [2, 3, 4]],
    ["?model=&status=failed", [3]],
    ["?min_ms=100&max_ms=200", [1]],
    ["?min_cost=0.2", [1]],
    ["?min_tokens=20", [2, 4]],
    ["?error=slow", [3]],
    ["?error=rate_limit", [3]],
    ["?-error=slow", [1, 2, 4]],
    ["?entity=lesson:a:b", [4]],
    ["?entity=lesson:", [4]],
    ["?entity=lesson:a:", []],
    ["?entity=urn:x:7", [2]],
    ["?entity=urn:x:", [2]],
    ["?entity=urn:", []],
    ["?attempts=2%2B", [4]],
    ["?attempts=2", []],
    ["?from=-24h", [1, 2, 3]],
    ["?to=-24h", [4]],
    ["?q=100%25+den_", [2]],
    ["?q=100x", []],
    ["?q=ERKL%C3%84RE", [2]],
    ["?q=erkl%C3%A4re+SATZ", [2]],
    ["?q=erklare", []],
    ["?q=erkl%C3%B6re", []],
    ["?project=2", []],
    ["?project=1", [1, 2, 3, 4]],
    ["?sort=duration", [1, 2, 4, 3]],
    ["?sort=-duration", [2, 1, 3, 4]],
    ["?sort=-tokens", [4, 2, 1, 3]],
    ["?sort=time", [4, 3, 2, 1]],
  ])("finds by %s", async (query, numbers) => {
    expect(await numbersOf(query)).toEqual(numbers);
  });

  it.each(["-time", "time", "-duration", "duration", "-tokens", "cost"])(
    "comes in pages that lose and repeat nothing, sorted by %s",
    async (sort) => {
      const whole = await numbersOf(`?sort=${sort}`);
      const paged: number[] = [];
      let after = "";
      do {
        const { body } = await rig.get<Page>(`/api/generations?sort=${sort}&limit=1&after=${after}`);
        paged.push(...body.data.map(({ id }) => Number.parseInt(id.slice(0, 32), 16)));
        after = body.next ?? "";
      } while (after !== "");
      expect(paged).toEqual(whole);
    },
  );

  it("gives numbers beyond 2^53 as text", async () => {
    const { body } = await rig.get<Page>("/api/generations?min_tokens=1000");
    expect(body.data[0]?.tokens_total).toBe("9007199254740993");
  });

  it("answers an unknown key with those that there are", async () => {
    const { status, body } = await rig.get<Failure>("/api/generations?modle=gpt-5&limit=0");
    expect([status, body.error.code]).toEqual([400, "bad_request"]);
    expect(body.error.faults).toEqual(["limit is no whole number from 1 to 1000", '"modle" is no key']);
    expect(body.error.message).toContain("provider, model, operation");
  });
});
