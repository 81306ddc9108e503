import { z } from "@hono/zod-openapi";
import { RequestError } from "../../base/request-error.ts";
import { readPosition } from "../../live/position.ts";
import { eventStream } from "../../live/stream.ts";
import { parseFilter } from "../../query/filter/parse.ts";
import { GENERATIONS } from "../../query/generations/noun.ts";
import type { Api } from "../route.ts";
import { filterParameters } from "../schemas.ts";
import { streamed } from "../streamed.ts";

const RESUME = "last_event_id";
/** Keys of lists that mean nothing to a stream. */
const NOT_HERE = new Set(["from", "to", "sort", "limit", "after"]);

/** What comes in, as it comes in. */
export function streamRoutes({ route, services: { reader, live } }: Api): void {
  route(
    {
      method: "get",
      path: "/api/stream",
      tag: "generations",
      summary: "Model calls as they are committed, as server-sent events; a connection that was lost goes on where it was",
      description:
        "Events are `ready` or `reset` at the beginning, then `generation` with the fields of the list; a call that changes is told again, under its id. Give the id of the last event as header Last-Event-ID (browsers do) or as last_event_id: nothing is left out and nothing told twice.",
      scope: "read",
      query: [
        ...filterParameters(GENERATIONS).filter(({ name }) => !NOT_HERE.has(name)),
        { name: RESUME, description: "id of the last event that was received, where the header cannot be set" },
      ],
      answer: z.string(),
      otherTypes: ["text/event-stream"],
    },
    async ({ projectId, query, mayGoOn, context }) => {
      const given = [...NOT_HERE].filter((key) => query.has(key));
      if (given.length > 0) throw new RequestError("bad_request", `${given.join(", ")}: a stream begins now and has no pages`);
      const filter = parseFilter(query, GENERATIONS, { others: [RESUME] });
      const id = context.req.header("last-event-id") ?? query.get(RESUME) ?? "";
      const from = id === "" ? undefined : readPosition(id);
      if (id !== "" && from === undefined) throw new RequestError("bad_request", "this is no id of an event of this stream");
      const watch = live.join(projectId);
      context.req.raw.signal.addEventListener("abort", watch.leave, { once: true });
      const events = (async function* () {
        try {
          yield* eventStream({ reader, projectId, filter, watch, from, mayGoOn });
        } finally {
          watch.leave();
        }
      })();
      return streamed(events, { type: "text/event-stream; charset=utf-8", onCancel: watch.leave });
    },
  );
}
