import { z } from "@hono/zod-openapi";
import { parseFilter } from "../../query/filter/parse.ts";
import { listImages } from "../../query/images/list.ts";
import { IMAGES } from "../../query/images/noun.ts";
import { readImage } from "../../query/images/one.ts";
import { imageStats, ORDER_RULE } from "../../query/images/stats.ts";
import { ImageDetail, ImageStats, ImageSummary } from "../image-shapes.ts";
import type { Api } from "../route.ts";
import { filterParameters, pageOf } from "../schemas.ts";

const TAG = "images";

/** Requests for images, and how models do at them. */
export function imageRoutes({ route, services: { reader } }: Api): void {
  route(
    {
      method: "get",
      path: "/api/images",
      tag: TAG,
      summary: "Requests for images, newest first, without what was sent and answered",
      scope: "read",
      query: filterParameters(IMAGES),
      answer: pageOf(ImageSummary),
    },
    ({ projectId, query }) => listImages(reader, projectId, parseFilter(query, IMAGES)),
  );
  route(
    {
      method: "get",
      path: "/api/images/stats",
      tag: TAG,
      summary: "Success and duration by model and by day, and the order in which models should be tried",
      description: ORDER_RULE,
      scope: "read",
      query: filterParameters(IMAGES).filter(({ name }) => !["sort", "limit", "after"].includes(name)),
      answer: ImageStats,
    },
    ({ projectId, query }) => imageStats(reader, projectId, parseFilter(query, IMAGES)),
  );
  route(
    {
      method: "get",
      path: "/api/images/{id}",
      tag: TAG,
      summary: "One request for images: what was asked, every attempt, what came of it",
      scope: "read",
      params: z.object({ id: z.guid() }),
      answer: ImageDetail,
    },
    ({ projectId, params }) => readImage(reader, projectId, params.id),
  );
}
