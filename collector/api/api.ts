import { OpenAPIHono } from "@hono/zod-openapi";
import { describeSecurity, openApiInfo } from "./openapi.ts";
import { createApi } from "./route.ts";
import { ROUTES } from "./routes/index.ts";
import type { Services } from "./services.ts";

/** Adds every route and the OpenAPI document to `app`. The document tells nothing of what is stored, so it needs no key. */
export function addApi(app: OpenAPIHono, services: Services): void {
  const api = createApi(app, services);
  describeSecurity(app);
  for (const addRoutes of ROUTES) addRoutes(api);
  api.closeMethods();
  let document: object | undefined;
  app.get("/openapi.json", (context) => {
    document ??= app.getOpenAPI31Document(openApiInfo(services.version));
    return context.json(document);
  });
}

/** The API alone, for commands that speak to a database without a server between. */
export function createApiOnly(services: Services): OpenAPIHono {
  const app = new OpenAPIHono();
  addApi(app, services);
  app.notFound((context) => context.json({ error: { code: "not_found", message: "there is nothing at this address" } }, 404));
  return app;
}
