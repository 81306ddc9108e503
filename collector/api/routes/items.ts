import { z } from "@hono/zod-openapi";
import { ITEM_REVIEW_STATUSES, reviewItem } from "../../commands/items.ts";
import { judgeOf, readRules } from "../../commands/quality-rules.ts";
import { parseFilter } from "../../query/filter/parse.ts";
import { findIssues } from "../../query/items/issues.ts";
import { labelledItems } from "../../query/items/labels.ts";
import { listItems } from "../../query/items/list.ts";
import { ITEMS } from "../../query/items/noun.ts";
import { readItem } from "../../query/items/one.ts";
import { ITEM_GROUPS, type ItemGroup, itemStats } from "../../query/items/stats.ts";
import { ItemDetail, ItemIssues, ItemStats, ItemSummary } from "../item-shapes.ts";
import { jsonLines } from "../json-lines.ts";
import { queryValue } from "../query-value.ts";
import { type Api, onlyKeys } from "../route.ts";
import { exactNumber, filterParameters, pageOf } from "../schemas.ts";

const tag = "items";
const id = z.object({ id: z.string().max(1_000) });
const selection = filterParameters(ITEMS).filter(({ name }) => !["sort", "limit", "after"].includes(name));
const GROUPS = Object.keys(ITEM_GROUPS) as [ItemGroup, ...ItemGroup[]];
/** Items that one page of issues looks at, texts of all their calls included. */
const MAX_LOOKED_AT = 200;

/** Things that several model calls made together. */
export function itemRoutes(api: Api): void {
  addMany(api);
  addIssues(api);
  addOne(api);
}

function addMany({ route, services: { reader } }: Api): void {
  route(
    {
      method: "get",
      path: "/api/items",
      tag,
      summary: "Items, newest first, with their totals",
      scope: "read",
      query: filterParameters(ITEMS),
      answer: pageOf(ItemSummary),
    },
    ({ projectId, query }) => listItems(reader, projectId, parseFilter(query, ITEMS)),
  );
  route(
    {
      method: "get",
      path: "/api/items/stats",
      tag,
      summary: "Tokens and judgements of many items, in all and by group",
      scope: "read",
      query: [{ name: "by", description: `${GROUPS.join(", ")}; model unless told`, example: "model" }, ...selection],
      answer: ItemStats,
    },
    ({ projectId, query }) => {
      const by = queryValue(query, "by", z.enum(GROUPS).default("model"));
      return itemStats(reader, projectId, { by, filter: parseFilter(query, ITEMS, { others: ["by"] }) });
    },
  );
  route(
    {
      method: "get",
      path: "/api/items/labels",
      tag,
      summary: "Judged items as examples for a judge: one JSON object a line with prompts, reasoning, answers and the label",
      scope: "read",
      query: selection,
      answer: z.string(),
      answerType: "application/x-ndjson",
    },
    async ({ projectId, query }) => jsonLines(labelledItems(reader, projectId, parseFilter(query, ITEMS)), "labels.jsonl"),
  );
}

function addIssues({ route, services: { reader, writer } }: Api): void {
  route(
    {
      method: "get",
      path: "/api/items/issues",
      tag,
      summary: "Items with something wrong: noted issues, failures, and what the rules see in answers and reasoning now",
      description: `One page looks at up to ${MAX_LOOKED_AT} items; give \`next\` as \`after\` to go on. Items chosen by \`quality=\` are listed in any case.`,
      scope: "read",
      query: filterParameters(ITEMS),
      answer: z.object({ data: z.array(ItemIssues), next: z.string().nullable(), looked_at: exactNumber }),
    },
    async ({ projectId, query }) => {
      const filter = parseFilter(query, ITEMS);
      const { judge } = judgeOf(await readRules(writer.sql, writer.schema, projectId));
      return findIssues(reader, projectId, { judge, filter: { ...filter, limit: Math.min(filter.limit, MAX_LOOKED_AT) } });
    },
  );
}

function addOne({ route, services: { reader, writer, refine } }: Api): void {
  route(
    {
      method: "get",
      path: "/api/items/{id}",
      tag,
      summary: "One item: how each of its generations was asked, what it thought and answered",
      scope: "read",
      params: id,
      answer: ItemDetail,
    },
    ({ projectId, params }) => readItem(reader, projectId, params.id),
  );
  const review = z
    .strictObject({
      status: z.enum(ITEM_REVIEW_STATUSES),
      issues: z.array(z.string().trim().min(1).max(200)).max(50).optional(),
      score: z.number().optional(),
      note: z.string().max(10_000).optional(),
      reviewer: z.string().trim().min(1).max(200).optional(),
    })
    .openapi("ItemReview");
  route(
    {
      method: "post",
      path: "/api/items/{id}/review",
      tag,
      summary: "Judge an item; the judgement stands above what telemetry says of its quality",
      description: "A rejection needs an issue or a note.",
      scope: "admin",
      params: id,
      body: review,
      answer: ItemDetail,
    },
    async ({ projectId, actor, params, body }) => {
      const { issues, score, note, reviewer = actor } = body;
      const said = { ...(issues && { issues }), ...(score !== undefined && { score }), ...(note !== undefined && { note }) };
      await reviewItem({ writer, refine, projectId, actor }, params.id, { status: body.status, ...said, reviewer });
      return readItem(reader, projectId, params.id);
    },
  );
  route(
    {
      method: "delete",
      path: "/api/items/{id}/review",
      tag,
      summary: "Take the latest judgement back: the one before it stands again, if any",
      refusals: [409],
      scope: "admin",
      params: id,
      answer: ItemDetail,
    },
    async ({ projectId, actor, params, query }) => {
      onlyKeys(query, []);
      await reviewItem({ writer, refine, projectId, actor }, params.id, undefined);
      return readItem(reader, projectId, params.id);
    },
  );
}
