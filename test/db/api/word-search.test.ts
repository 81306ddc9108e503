import { afterAll, beforeAll, expect, it } from "vitest";
import type { GenerationSummary } from "../../../collector/query/generations/list.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { storeGenerations } from "../../support/generation-rows.ts";

interface Page {
  readonly data: readonly GenerationSummary[];
  readonly next: string | null;
}

const CALLS = 60;
const MINUTE_MS = 60_000;

describeEachServer("a search for words", (server) => {
  let rig: ApiRig;
  beforeAll(async () => {
    rig = await createApiRig(server);
    const now = Date.now();
    const calls = Array.from({ length: CALLS }, (_, i) => ({
      start_time: new Date(now - (i * 20 + 1) * MINUTE_MS),
      prompt_full_text: `Frequent ${i % 5 === 0 ? "SomeTimes" : ""}`,
      response_full_text: i === CALLS - 2 ? "only RARELY here" : null,
    }));
    await storeGenerations(rig.owner, calls);
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  /** Ids of all pages, and the number of pages. */
  async function pagesOf(query: string): Promise<{ ids: string[]; pages: number }> {
    const ids: string[] = [];
    for (let after: string | null = "", pages = 1; ; pages++) {
      const { body }: { body: Page } = await rig.get<Page>(`/api/generations?limit=4&${query}&after=${after}`);
      ids.push(...body.data.map(({ id }) => id));
      after = body.next;
      if (after === null) return { ids, pages };
    }
  }

  it.each([
    ["frequent", CALLS],
    ["sometimes", CALLS / 5],
    ["rarely", 1],
    ["frequent+sometimes", CALLS / 5],
    ["never", 0],
  ])("for %s finds the same in a day as in a month, newest first", async (words, count) => {
    const day = await pagesOf(`from=-24h&q=${words}`);
    expect(day.ids).toHaveLength(count);
    expect(day).toEqual(await pagesOf(`from=-720h&q=${words}`));
    expect((await pagesOf(`from=-24h&sort=time&q=${words}`)).ids).toEqual(day.ids.toReversed());
  });
});
