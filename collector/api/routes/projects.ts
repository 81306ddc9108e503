import { z } from "@hono/zod-openapi";
import { listProjects, type ProjectRow } from "../../commands/projects.ts";
import { type Api, onlyKeys } from "../route.ts";

const Project = z.object({ id: z.number(), name: z.string(), created_at: z.string() }).openapi("Project");

/** The project of the key: no key knows of others, which are made by `genspan project create`. */
export function projectRoutes({ route, services: { writer } }: Api): void {
  route(
    {
      method: "get",
      path: "/api/projects",
      tag: "keys",
      summary: "The project that the key belongs to",
      scope: ["read", "admin"],
      answer: z.object({ data: z.array(Project) }),
    },
    async ({ projectId, query }) => {
      onlyKeys(query, []);
      return { data: (await listProjects(writer, projectId)).map(shown) };
    },
  );
}

const shown = ({ id, name, created_at }: ProjectRow): z.infer<typeof Project> => ({ id, name, created_at: created_at.toISOString() });
