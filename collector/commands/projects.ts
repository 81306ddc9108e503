import { RequestError } from "../base/request-error.ts";
import { audit } from "./audit.ts";
import type { Writer } from "./writer.ts";

export interface ProjectRow {
  readonly id: number;
  readonly name: string;
  readonly created_at: Date;
}

/** All projects, or the one with this id; not those that were deleted. */
export const listProjects = async ({ sql, schema }: Writer, id?: number): Promise<ProjectRow[]> => [
  ...(await sql<ProjectRow[]>`
    SELECT id, name, created_at FROM ${sql(schema)}.projects WHERE deleted_at IS NULL AND ${id === undefined ? sql`true` : sql`id = ${id}`} ORDER BY id`),
];

/** Makes a project: keys that are made for it see its rows and no others. Throws RequestError where the name is taken. */
export function createProject(
  { sql, schema }: Writer,
  { name, actor }: { readonly name: string; readonly actor: string },
): Promise<ProjectRow> {
  return sql.begin(async (tx) => {
    await tx`LOCK TABLE ${tx(schema)}.projects IN SHARE ROW EXCLUSIVE MODE`;
    const [made] = await tx<ProjectRow[]>`
      INSERT INTO ${tx(schema)}.projects (id, name, created_at)
      SELECT max(id) + 1, ${name}, clock_timestamp() FROM ${tx(schema)}.projects
      HAVING NOT EXISTS (SELECT FROM ${tx(schema)}.projects WHERE name = ${name}) RETURNING id, name, created_at`;
    if (made === undefined) throw new RequestError("conflict", "there is a project of that name already");
    await audit(tx, schema, { projectId: made.id, actor, action: "project.create", subject: String(made.id) });
    return made;
  }) as Promise<ProjectRow>;
}
