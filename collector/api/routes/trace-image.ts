import { z } from "@hono/zod-openapi";
import { RequestError } from "../../base/request-error.ts";
import { deleteImages } from "../../commands/images.ts";
import { MAX_COUNTED } from "../../query/count-rows.ts";
import { parseFilter } from "../../query/filter/parse.ts";
import { type ImageTraceRow, imageIds, listImageTraces } from "../../query/images/list.ts";
import { IMAGES } from "../../query/images/noun.ts";
import { ImageTrace } from "../image-shapes.ts";
import { queryValue } from "../query-value.ts";
import { type Api, onlyKeys } from "../route.ts";
import { filterParameters } from "../schemas.ts";

const PATH = "/api/traceImage";
const TAG = "images";
/** Of all pages. */
const total = z
  .int()
  .nullable()
  .openapi({ description: `rows of all pages; null beyond ${MAX_COUNTED}` });
/** Rows that are left out are read all the same. */
const MAX_OFFSET = 100_000;

const selection = filterParameters(IMAGES).filter(({ name }) => !["sort", "limit", "after"].includes(name));

/** Image traces as the first application asks for them. */
export function traceImageRoutes({ route, services: { reader, writer } }: Api): void {
  route(
    {
      method: "get",
      path: PATH,
      tag: TAG,
      summary: "Image traces with everything that was logged, newest first; what is unknown is left out",
      scope: "read",
      query: [
        { name: "limit", description: "traces at most, 1 to 1000; 50 unless told", example: "50" },
        { name: "offset", description: `traces to leave out, up to ${MAX_OFFSET}`, example: "0" },
        ...selection,
      ],
      answer: z.object({ traces: z.array(ImageTrace), total }),
    },
    async ({ projectId, query }) => {
      const offset = queryValue(query, "offset", z.coerce.number().int().min(0).max(MAX_OFFSET).default(0));
      const { traces, total } = await listImageTraces(reader, projectId, {
        offset,
        filter: parseFilter(query, IMAGES, { others: ["offset"] }),
      });
      return { traces: traces.map(withoutUnknown), total };
    },
  );
  route(
    {
      method: "delete",
      path: PATH,
      tag: TAG,
      summary: "Delete one image trace, or all that a filter selects",
      description:
        "`id=` deletes one; `deleteAll=true` deletes all, or those that the other keys select. Deleted traces stay deleted when their records are sent again. Model calls and their pictures stay.",
      refusals: [404, 413],
      scope: "admin",
      query: [
        { name: "id", description: "the trace to delete" },
        { name: "deleteAll", description: "true to delete all that the other keys select" },
        ...selection,
      ],
      answer: z.object({ success: z.literal(true), deleted: z.number() }),
    },
    async ({ projectId, actor, query }) => {
      const single = query.has("id");
      if (single === (query.get("deleteAll") === "true")) throw new RequestError("bad_request", "say which: either id=, or deleteAll=true");
      if (single) {
        onlyKeys(query, ["id", "deleteAll"]);
        const id = queryValue(query, "id", z.guid());
        const deleted = await deleteImages(writer, { projectId, actor, ids: [id], reason: "id" });
        if (deleted === 0) throw new RequestError("not_found", "there is no such image trace");
        return { success: true, deleted };
      }
      refuseHalfFilter(query);
      const filter = parseFilter(query, IMAGES, { others: ["deleteAll"] });
      const ids = await imageIds(reader, projectId, filter);
      return { success: true, deleted: await deleteImages(writer, { projectId, actor, ids, reason: "deleteAll" }) };
    },
  );
}

/** A list takes an empty value for none, and a page for a part; whoever deletes would lose more than was meant. */
function refuseHalfFilter(query: URLSearchParams): void {
  const empty = [...query].filter(([, value]) => value === "").map(([key]) => `${JSON.stringify(key.slice(0, 40))} is empty`);
  const paged = ["sort", "limit", "after"]
    .filter((key) => query.has(key))
    .map((key) => `${key} is no key here: all that are selected are deleted`);
  const faults = [...empty, ...paged];
  if (faults.length > 0) throw new RequestError("bad_request", faults.join("; "), faults);
}

const withoutUnknown = (trace: ImageTraceRow): object => Object.fromEntries(Object.entries(trace).filter(([, value]) => value !== null));
