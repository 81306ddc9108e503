import type { GenerationSummary } from "../../collector/query/generations/list.ts";
import type { ApiRig } from "./api-rig.ts";

interface Page {
  readonly data: readonly GenerationSummary[];
  readonly next: string | null;
}

/** Ids of the calls on all pages of four, and the number of pages. */
export async function pagesOf(rig: ApiRig, query: string): Promise<{ ids: string[]; pages: number }> {
  const ids: string[] = [];
  for (let after: string | null = "", pages = 1; ; pages++) {
    const { body }: { body: Page } = await rig.get<Page>(`/api/generations?limit=4&${query}&after=${after}`);
    ids.push(...body.data.map(({ id }) => id));
    after = body.next;
    if (after === null) return { ids, pages };
  }
}
