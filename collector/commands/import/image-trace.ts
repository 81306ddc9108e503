import { uuidOf } from "./row-ids.ts";
import type { ImportRow, JsonObject } from "./shapes.ts";

const STATUSES = new Set(["started", "completed", "failed"]);

/** The trace of an image request as its application stored it: camel-case attempts and all. */
export const isImageTrace = (value: JsonObject): boolean =>
  Array.isArray(value["image_generation_attempts"]) && typeof value["created_at"] === "string" && STATUSES.has(String(value["status"]));

/** The row of image_traces; `lesson_id` is the entity lesson. */
export function imageOf(value: JsonObject): ImportRow {
  const { lesson_id: lesson, id, ...columns } = value;
  return {
    noun: "images",
    values: {
      ...columns,
      id: uuidOf("image", id, value["created_at"]),
      ...(lesson == null ? {} : { entity_type: "lesson", entity_id: String(lesson) }),
    },
  };
}
