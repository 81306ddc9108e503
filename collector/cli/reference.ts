import type { ApiClient, ApiRow } from "./api.ts";
import { CommandError, EXIT } from "./exit-codes.ts";

const ID = /^[0-9a-f]{32}-[0-9a-f]{16}$/i;

/** The id of a call that a person names by its id, or by what it made: `lesson:42` is the latest call for that lesson. */
export async function generationId(api: ApiClient, given: string): Promise<string> {
  if (ID.test(given)) return given.toLowerCase();
  if (!given.includes(":"))
    throw new CommandError(EXIT.usage, "Name a model call by its id (traceid-spanid), or by what it made, as type:id.");
  const found = (await api.get("/api/generations", new URLSearchParams({ entity: given, limit: "1" }))) as {
    readonly data: readonly ApiRow[];
  };
  const id = found.data[0]?.["id"];
  if (typeof id !== "string") throw new CommandError(EXIT.notFound, `No model call is linked to ${given}.`);
  return id;
}

export const generationPath = (id: string): string => `/api/generations/${encodeURIComponent(id)}`;
