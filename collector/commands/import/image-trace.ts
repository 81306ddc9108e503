import { uuidOf } from "./row-ids.ts";
import type { ImportRow, JsonObject } from "./shapes.ts";

const STATUSES = new Set(["started", "completed", "failed"]);

/** The trace of an image request as its application stored it: camel-case attempts and all. */
export const isImageTrace = (value: JsonObject): boolean =>
  Array.isArray(value["image_generation_attempts"]) && typeof value["created_at"] === "string" && STATUSES.has(String(value["status"]));

/** The row of image_traces; `lesson_id` is the entity lesson. An id that is no uuid stands in the row as one that is made of it. */
export function imageOf(value: JsonObject): ImportRow {
  const { lesson_id: lesson, id, ...columns } = value;
  const entity = lesson == null ? {} : { entity_type: "lesson", entity_id: String(lesson) };
  const uuid = uuidOf("image", id, value["created_at"]);
  const isReplaced = ([name, own]: [string, string]): boolean => columns[name] != null && String(columns[name]) !== own;
  return {
    noun: "images",
    values: { ...columns, ...entity, id: uuid },
    ignored: [
      ...Object.entries(entity)
        .filter(isReplaced)
        .map(([name]) => name),
      ...(id == null || String(id).toLowerCase() === uuid ? [] : ["id"]),
    ],
  };
}
