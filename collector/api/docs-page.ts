import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Env, Hono } from "hono";
import { html } from "hono/html";

/** Files of Swagger UI that a page needs; nothing else of its package can be asked for. */
const FILES: Readonly<Record<string, string>> = {
  "swagger-ui.css": "text/css",
  "swagger-ui-bundle.js": "text/javascript",
};

const SCRIPT = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null, tryItOutEnabled: false });
`;

const page = html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>genspan API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <main id="docs"></main>
    <noscript>This page needs JavaScript; <a href="/openapi.json">the OpenAPI document</a> says the same.</noscript>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>`;

/** The documentation of the API: Swagger UI from its own package, so that it works without the internet. */
export function addDocsPage(app: Hono<Env>): void {
  const folder = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  app.get("/docs", (context) => context.html(page));
  app.get("/docs/", (context) => context.redirect("/docs"));
  app.get("/docs/start.js", (context) => context.body(SCRIPT, 200, { "Content-Type": "text/javascript; charset=utf-8" }));
  const contents = new Map<string, Buffer<ArrayBuffer>>();
  for (const [file, type] of Object.entries(FILES)) {
    app.get(`/docs/${file}`, (context) => {
      const content = contents.get(file) ?? Buffer.from(readFileSync(join(folder, file)));
      contents.set(file, content);
      return context.body(content, 200, { "Content-Type": `${type}; charset=utf-8`, "Cache-Control": "max-age=3600" });
    });
  }
}
