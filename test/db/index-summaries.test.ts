import { afterAll, beforeAll, expect, it } from "vitest";
import { createIndexSummaries } from "../../collector/jobs/index-summaries.ts";
import type { Job } from "../../collector/jobs/leased-job.ts";
import { type ApiRig, createApiRig } from "../support/api-rig.ts";
import { describeEachServer } from "../support/database.ts";
import { type GenerationRow, storeGenerations } from "../support/generation-rows.ts";
import { recordingLog } from "../support/recording-log.ts";

const NOON = Date.UTC(2026, 10, 20, 12);
/** More than fit into 32 pages. */
const ROWS = 3_000;

describeEachServer("summaries of pages", (server) => {
  let rig: ApiRig;
  let job: Job<number>;
  beforeAll(async () => {
    rig = await createApiRig(server);
    job = createIndexSummaries({ sql: rig.owner, schema: "public", holder: "test", log: recordingLog().log });
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  let stored = 0;
  async function store(count: number): Promise<void> {
    const row = (i: number): GenerationRow => ({
      start_time: new Date(NOON + (stored + i) * 1000),
      user_id: `user ${(stored + i) % 1_000}`,
      conversation_id: (stored + i) % 2 === 0 ? null : `conversation ${stored + i}`,
      response_finish_reason: (stored + i) % 500 === 7 ? "content_filter" : "stop",
      cost_amount: (stored + i) % 300 === 0 ? "1.5" : "0.001",
      cost_currency: "USD",
    });
    await storeGenerations(
      rig.owner,
      Array.from({ length: count }, (_, i) => row(i)),
      stored + 1,
    );
    stored += count;
  }

  const found = async (query: string): Promise<number> => {
    const { body } = await rig.get<{ data: unknown[] }>(`/api/generations?limit=1000&${query}`);
    return body.data.length;
  };
  const questions: readonly (readonly [string, (row: number) => boolean])[] = [
    ["user=user+17", (row) => row % 1_000 === 17],
    ["user=user+17&user=user+18", (row) => [17, 18].includes(row % 1_000)],
    ["user=nobody", () => false],
    ["user=user+17&-conversation=(none)", (row) => row % 1_000 === 17 && row % 2 === 1],
    ["conversation=conversation+1001", (row) => row === 1_001],
    ["finish=content_filter", (row) => row % 500 === 7],
    ["min_cost=1.5", (row) => row % 300 === 0],
    ["max_cost=0.5&user=user+300", (row) => row % 1_000 === 300 && row % 300 !== 0],
  ];
  async function holds(): Promise<void> {
    for (const [query, fits] of questions)
      expect([query, await found(query)]).toEqual([query, Array.from({ length: stored }, (_, row) => row).filter(fits).length]);
  }

  it("come with what was written, once; filters find the same without them, with some and with all", async () => {
    await store(ROWS);
    await holds();
    expect(await job.runOnce()).toBeGreaterThan(0);
    await holds();
    // What the server counts of a table's rows reaches other sessions a moment later.
    await expect.poll(() => job.runOnce(), { timeout: 20_000 }).toBe(0);
    await store(ROWS);
    await holds();
    await expect.poll(() => job.runOnce(), { timeout: 20_000 }).toBeGreaterThan(0);
    await holds();
  });
});
