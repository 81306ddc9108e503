import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, Env, Hono } from "hono";
import type { html } from "hono/html";
import { secureHeaders } from "hono/secure-headers";
import type { Scope } from "../base/api-key.ts";
import type { Authenticate } from "../base/authenticate.ts";
import { readCredentials } from "../base/credentials.ts";
import type { Metrics } from "../base/metrics.ts";
import { addApi } from "./api.ts";
import { addDocsPage } from "./docs-page.ts";
import { codeOfRefusal } from "./errors.ts";
import { addPageRedirects } from "./page-redirects.ts";
import { refuse } from "./route.ts";
import { mediaPolicy } from "./routes/media.ts";
import type { Services } from "./services.ts";

export interface ApiOptions {
  /** Why the collector takes no data right now, in one word; undefined while it does. */
  readonly unready: () => "database" | "disk" | "stopping" | undefined;
  readonly authenticate: Authenticate;
  readonly metrics: Metrics;
  /** The start page as a visitor may see it. */
  readonly startPage: (visit: Visit) => Promise<Page>;
  /** Its style and script. */
  readonly startCss: string;
  readonly startScript: string;
  /** What the routes of the API work with. */
  readonly services: Omit<Services, "authenticate">;
}

/** Who looks at a page. */
export interface Visit {
  readonly projectId: number;
  /** The name by which the visitor reached us, without a port: `localhost`, `[::1]`, `telemetry.example.org`. */
  readonly hostName: string;
  /** Whether a key was shown. */
  readonly hasKey: boolean;
}

/** Rendered HTML, as hono/html gives it: what came from outside is escaped already. */
export type Page = ReturnType<typeof html>;

/** The web address: start page, API and its documentation, health, readiness and metrics. Health says nothing of what is inside, so it needs no key. */
export function createApiApp(options: ApiOptions): Hono<Env> {
  const app = new OpenAPIHono();
  app.use("/api/media/*", mediaPolicy);
  app.use(
    "*",
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        imgSrc: ["'self'", "data:"],
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
  addAsset(app, "/start.css", { text: options.startCss, type: "text/css" });
  addAsset(app, "/start.js", { text: options.startScript, type: "text/javascript" });
  app.get("/metrics", (context) =>
    permitted(context, options.authenticate, "read", async () => {
      const { registry } = options.metrics;
      return context.body(await registry.metrics(), 200, { "Content-Type": registry.contentType });
    }),
  );
  app.get("/", (context) =>
    permitted(context, options.authenticate, "read", async (projectId) => {
      const { hostname } = new URL(context.req.url);
      const hasKey = credentialsOf(context).key !== undefined;
      return context.html(await options.startPage({ projectId, hostName: hostname, hasKey }), 200, { "Cache-Control": "no-store" });
    }),
  );
  addApi(app, { ...options.services, authenticate: options.authenticate });
  addDocsPage(app);
  addPageRedirects(app);
  app.notFound((context) => context.json({ error: { code: "not_found", message: "there is nothing at this address" } }, 404));
  return app;
}

/** A file of the program: the same for everyone, asked for again after an upgrade. */
function addAsset(app: Hono<Env>, path: string, { text, type }: { readonly text: string; readonly type: string }): void {
  app.get(path, (context) => context.body(text, 200, { "Content-Type": `${type}; charset=utf-8`, "Cache-Control": "no-cache" }));
}

const credentialsOf = (context: Context) => readCredentials((name) => context.req.header(name));

/** Runs `answer` for whoever may; says 401, 403 or 503 to others. */
async function permitted(
  context: Context,
  authenticate: Authenticate,
  scope: Scope,
  answer: (projectId: number) => Promise<Response>,
): Promise<Response> {
  const permit = await authenticate(credentialsOf(context), scope);
  if (permit.kind === "granted") return answer(permit.projectId);
  return refuse(context, codeOfRefusal(permit.reason), permit.message);
}
