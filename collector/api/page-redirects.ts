import type { Env, Hono } from "hono";

/** Nouns whose addresses for people (`/runs?status=failed`, `/runs/{id}`) alerts and commands give out. */
const NOUNS = ["generations", "items", "runs", "images", "traces", "prompts"] as const;

/** Leads such an address to the same rows of the API, where no page of that name stands before it: a link opens what it speaks of. */
export function addPageRedirects(app: Hono<Env>): void {
  for (const noun of NOUNS) {
    for (const path of [`/${noun}`, `/${noun}/:id`])
      app.get(path, (context) => {
        const { pathname, search } = new URL(context.req.url);
        return context.redirect(`/api${pathname}${search}`);
      });
  }
}
