import { z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { readMedia } from "../../query/media.ts";
import type { Api } from "../route.ts";

/** Types that a browser shows without running anything of them; SVG can hold scripts, which the policy below keeps from running. */
const SHOWN = new Set(
  [
    ["avif", "bmp", "gif", "jpeg", "png", "svg+xml", "webp"].map((type) => `image/${type}`),
    ["aac", "flac", "mp4", "mpeg", "ogg", "wav", "webm"].map((type) => `audio/${type}`),
    ["mp4", "ogg", "webm"].map((type) => `video/${type}`),
  ].flat(),
);

/** Loads and runs nothing, in an origin of its own: what a model or a stranger made must not speak for this server. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox";
const OTHER_TYPE = "application/octet-stream";

/** Stands before the policy for pages, which it replaces: `use` it first. */
export const mediaPolicy: MiddlewareHandler = async (context, next) => {
  await next();
  context.res.headers.set("Content-Security-Policy", POLICY);
};

/** The bytes that were taken out of messages and images. */
export function mediaRoutes({ route, services: { reader } }: Api): void {
  route(
    {
      method: "get",
      path: "/api/media/{sha256}",
      tag: "images",
      summary: "A stored picture, sound or file, by the hash that details of generations and images tell",
      description:
        "Pictures, sounds and films of known types come as what they are, everything else as a download. The hash is the ETag: If-None-Match is answered 304 while the content is there.",
      scope: "read",
      params: z.object({ sha256: z.string().openapi({ description: "64 hexadecimal characters" }) }),
      answer: z.string().openapi({ format: "binary" }),
      answerType: OTHER_TYPE,
      otherTypes: [...SHOWN],
    },
    async ({ projectId, params, context }) => {
      const { mediaType, content } = await readMedia(reader, projectId, params.sha256);
      const type = shownType(mediaType);
      const name = params.sha256.toLowerCase();
      const headers = {
        "Content-Type": type ?? OTHER_TYPE,
        ...(type === undefined ? { "Content-Disposition": `attachment; filename="${name}"` } : {}),
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        // Kept by the browser, asked for again each time: what was erased here is not shown from there.
        "Cache-Control": "private, no-cache",
        ETag: `"${name}"`,
        Vary: "Authorization, X-Service-Key",
      };
      if (isFresh(context.req.header("if-none-match"), headers.ETag)) return new Response(null, { status: 304, headers });
      return new Response(new Uint8Array(content), { headers: { ...headers, "Content-Length": String(content.length) } });
    },
  );
}

/** The sender named the type: what is not on the list, or is no type at all, is a file to download. */
function shownType(said: string | null): string | undefined {
  const type = said?.split(";")[0]?.trim().toLowerCase() ?? "";
  const known = type === "image/jpg" ? "image/jpeg" : type;
  return SHOWN.has(known) ? known : undefined;
}

const isFresh = (known: string | undefined, etag: string): boolean =>
  (known ?? "").split(",").some((each) => each.trim() === "*" || each.trim().replace(/^W\//, "") === etag);
