import type { Context } from "hono";
import { Hono } from "hono";
import type { html } from "hono/html";
import { secureHeaders } from "hono/secure-headers";
import type { Scope } from "../base/api-key.ts";
import type { Authenticate } from "../base/authenticate.ts";
import { readCredentials } from "../base/credentials.ts";
import type { Metrics } from "../base/metrics.ts";

export interface ApiOptions {
  /** Why the collector takes no data right now, in one word; undefined while it does. */
  readonly unready: () => "database" | "stopping" | undefined;
  readonly authenticate: Authenticate;
  readonly metrics: Metrics;
  /** The start page as a project may see it, rendered, and its style sheet. */
  readonly startPage: (projectId: number) => Promise<Page>;
  readonly startCss: string;
}

/** Rendered HTML, as hono/html gives it: what came from outside is escaped already. */
export type Page = ReturnType<typeof html>;

/** The web address: start page, health, readiness and metrics. Health says nothing of what is inside, so it needs no key. */
export function createApiApp(options: ApiOptions): Hono {
  const app = new Hono();
  app.use(
    "*",
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
        formAction: ["'self'"],
      },
      referrerPolicy: "no-referrer",
      xFrameOptions: "DENY",
    }),
  );
  app.get("/healthz", (context) => context.text("ok\n"));
  app.get("/livez", (context) => context.text("ok\n"));
  app.get("/readyz", (context) => {
    const reason = options.unready();
    return reason === undefined ? context.text("ready\n") : context.text(`${reason}\n`, 503);
  });
  app.get("/start.css", (context) => context.body(options.startCss, 200, { "Content-Type": "text/css; charset=utf-8" }));
  app.get("/metrics", (context) =>
    permitted(context, options.authenticate, "read", async () => {
      const { registry } = options.metrics;
      return context.body(await registry.metrics(), 200, { "Content-Type": registry.contentType });
    }),
  );
  app.get("/", (context) =>
    permitted(context, options.authenticate, "read", async (projectId) => context.html(await options.startPage(projectId))),
  );
  app.notFound((context) => context.json({ error: { code: "not_found", message: "there is nothing at this address" } }, 404));
  return app;
}

/** Runs `answer` for whoever may; says 401, 403 or 503 to others. */
async function permitted(
  context: Context,
  authenticate: Authenticate,
  scope: Scope,
  answer: (projectId: number) => Promise<Response>,
): Promise<Response> {
  const permit = await authenticate(
    readCredentials((name) => context.req.header(name)),
    scope,
  );
  if (permit.kind === "granted") return answer(permit.projectId);
  const error = { error: { code: permit.reason, message: permit.message } };
  if (permit.kind === "retryable") return context.json(error, 503);
  if (permit.reason === "unauthenticated") return context.json(error, 401, { "WWW-Authenticate": 'Bearer realm="genspan"' });
  return context.json(error, 403);
}
