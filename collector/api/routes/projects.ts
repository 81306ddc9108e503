import { z } from "@hono/zod-openapi";
import { RequestError } from "../../base/request-error.ts";
import { deleteProject } from "../../commands/delete-project.ts";
import { listProjects, type ProjectRow } from "../../commands/projects.ts";
import { type Api, onlyKeys } from "../route.ts";

const Project = z.object({ id: z.number(), name: z.string(), created_at: z.string() }).openapi("Project");

/** The project of the key: no key knows of others, which are made by `genspan project create`. */
export function projectRoutes({ route, services: { writer, projectEnd } }: Api): void {
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
  route(
    {
      method: "delete",
      path: "/api/projects/{id}",
      tag: "keys",
      summary: "Deletes the key's own project with everything in it, for good; its keys end at once",
      description:
        "Answered when all is gone; what other collectors were writing meanwhile goes within a minute. Should the connection break, the collector finishes it. Project 1, which takes what has no key, stays.",
      refusals: [409],
      scope: "admin",
      params: z.object({ id: z.string() }),
      query: [{ name: "confirm", description: "the project's name, so that nobody deletes one by mistake" }],
      answer: z.object({ deleted: z.record(z.string(), z.number()).openapi({ description: "rows, by table" }) }),
    },
    async ({ projectId, actor, params, query }) => {
      onlyKeys(query, ["confirm"]);
      const [project] = params.id === String(projectId) ? await listProjects(writer, projectId) : [];
      if (project === undefined) throw new RequestError("not_found", "that is not the project of this key");
      if (query.get("confirm") !== project.name) throw new RequestError("bad_request", "give the project's name as confirm");
      return { deleted: await deleteProject({ ...writer, ...projectEnd, projectId, actor }) };
    },
  );
}

const shown = ({ id, name, created_at }: ProjectRow): z.infer<typeof Project> => ({ id, name, created_at: created_at.toISOString() });
