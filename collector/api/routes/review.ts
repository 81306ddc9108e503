import { z } from "@hono/zod-openapi";
import type { CommandContext } from "../../commands/generations/change.ts";
import { linkCall } from "../../commands/generations/link.ts";
import { repriceCalls } from "../../commands/generations/reprice.ts";
import { claimCall, REVIEW_STATUSES, reviewCall, undoReview } from "../../commands/generations/review.ts";
import { createPriceBook } from "../../model/price.ts";
import { parseFilter } from "../../query/filter/parse.ts";
import { GENERATIONS } from "../../query/generations/noun.ts";
import { readGeneration } from "../../query/generations/one.ts";
import { reviewProgress, waitingReviews } from "../../query/generations/queue.ts";
import { findCall, readReference } from "../../query/generations/reference.ts";
import { readProjectPrices } from "../../query/prices.ts";
import type { Api } from "../route.ts";
import { filterParameters, instant } from "../schemas.ts";
import { GenerationDetail } from "../shapes.ts";

const tag = "review";
const id = z.object({ id: z.string().openapi({ description: "traceid-spanid" }) });
const name = z.string().trim().min(1).max(200);
const reviewer = name.optional().openapi({ description: "who judges; without it the beginning of the key" });
const filterKeys = filterParameters(GENERATIONS).filter((each) => !["sort", "limit", "after"].includes(each.name));

const Review = z
  .strictObject({
    status: z.enum(REVIEW_STATUSES),
    issues: z.array(name).max(50).optional().openapi({ description: "short tags; an empty list clears them" }),
    note: z.string().max(10_000).optional(),
    score: z.number().optional(),
    reviewer,
  })
  .openapi("Review");

/** Judging calls, linking them to what they made, and working their cost out again. */
export function reviewRoutes(api: Api): void {
  addReviews(api);
  addQueue(api);
  addLinks(api);
  addRepricing(api);
}

const contextOf = ({ services: { writer, refine } }: Api, who: { readonly projectId: number; readonly actor: string }): CommandContext => ({
  writer,
  refine,
  projectId: who.projectId,
  actor: who.actor,
});

function addReviews(api: Api): void {
  const { reader } = api.services;
  api.route(
    {
      method: "post",
      path: "/api/generations/{id}/review",
      tag,
      summary: "Approve or reject a call, or send it to review",
      description: "A rejection needs an issue or a note. Each judgement stands in the audit log and can be taken back.",
      scope: "admin",
      params: id,
      body: Review,
      answer: GenerationDetail,
    },
    async ({ params, body, query, ...who }) => {
      const ref = await findCall(reader, who.projectId, params.id);
      const { status, issues, note, score } = body;
      const said = { status, ...defined({ issues, note, score }), reviewer: body.reviewer ?? who.actor };
      await reviewCall(contextOf(api, who), ref, said);
      return readGeneration(reader, who.projectId, ref);
    },
  );
  api.route(
    {
      method: "delete",
      path: "/api/generations/{id}/review",
      tag,
      summary: "Take the latest review back: the call is as it was before",
      refusals: [409],
      scope: "admin",
      params: id,
      answer: GenerationDetail,
    },
    async ({ params, query, ...who }) => {
      const ref = await findCall(reader, who.projectId, params.id);
      await undoReview(contextOf(api, who), ref);
      return readGeneration(reader, who.projectId, ref);
    },
  );
}

const CANDIDATES = 20;

function addQueue(api: Api): void {
  const { reader } = api.services;
  api.route(
    {
      method: "get",
      path: "/api/review",
      tag,
      summary: "How the reviews stand",
      scope: "read",
      query: filterKeys,
      answer: z.object({ pending_review: z.number(), approved: z.number(), rejected: z.number(), claimed: z.number() }),
    },
    ({ projectId, query }) => reviewProgress(reader, projectId, parseFilter(query, GENERATIONS)),
  );
  api.route(
    {
      method: "post",
      path: "/api/review/next",
      tag,
      summary: "The next call that waits for a review, claimed for ten minutes",
      description: "Two reviewers do not get the same call. `generation` is null when nothing waits.",
      scope: "admin",
      query: filterKeys,
      body: z.strictObject({ reviewer }),
      answer: z.object({ generation: GenerationDetail.nullable() }),
    },
    async ({ body, query, ...who }) => {
      const judge = body.reviewer ?? who.actor;
      const filter = parseFilter(query, GENERATIONS);
      for (;;) {
        const waiting = await waitingReviews(reader, who.projectId, { filter, reviewer: judge, limit: CANDIDATES });
        for (const ref of waiting.map(readReference)) {
          if (await claimCall(contextOf(api, who), ref, judge)) return { generation: await readGeneration(reader, who.projectId, ref) };
        }
        // Others were faster with all of them; what they claimed is not offered again.
        if (waiting.length < CANDIDATES) return { generation: null };
      }
    },
  );
}

function addLinks(api: Api): void {
  const { reader } = api.services;
  const Entity = z.strictObject({ type: name, id: name }).openapi("Entity", { description: "a thing of the application's own" });
  api.route(
    {
      method: "put",
      path: "/api/generations/{id}/entity",
      tag,
      summary: "Say which thing of the application a call made",
      scope: ["ingest", "admin"],
      params: id,
      body: Entity,
      answer: GenerationDetail,
    },
    async ({ params, body, query, ...who }) => {
      const ref = await findCall(reader, who.projectId, params.id);
      await linkCall(contextOf(api, who), ref, body);
      return readGeneration(reader, who.projectId, ref);
    },
  );
  api.route(
    {
      method: "delete",
      path: "/api/generations/{id}/entity",
      tag,
      summary: "Take that back",
      scope: "admin",
      params: id,
      answer: GenerationDetail,
    },
    async ({ params, query, ...who }) => {
      const ref = await findCall(reader, who.projectId, params.id);
      await linkCall(contextOf(api, who), ref, null);
      return readGeneration(reader, who.projectId, ref);
    },
  );
}

function addRepricing(api: Api): void {
  const { reader } = api.services;
  api.route(
    {
      method: "post",
      path: "/api/generations/reprice",
      tag,
      summary: "Work costs out again by today's price table",
      description: "Costs that were sent with a call stay. Each call is charged at the price of its own time; dry_run only counts.",
      scope: "admin",
      body: z.strictObject({ from: instant, to: instant.optional(), model: name.optional(), dry_run: z.boolean().default(true) }),
      answer: z.object({
        examined: z.number(),
        changed: z.number(),
        unpriced_before: z.number(),
        unpriced_after: z.number(),
        dry_run: z.boolean(),
      }),
    },
    async ({ body, query, ...who }) => {
      const prices = createPriceBook(await readProjectPrices(reader, who.projectId));
      const { from, to = new Date().toISOString(), model, dry_run: dryRun } = body;
      const report = await repriceCalls(contextOf(api, who), { prices, from, to, ...defined({ model }), dryRun });
      return { ...report, dry_run: dryRun };
    },
  );
}

/** Only what was given. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
