import { choiceKey, countKey, entityKey, type FilterKey, maximumKey, minimumKey, type Noun, projectKey, textKey } from "../filter/noun.ts";
import { or, sql } from "../sql.ts";

export const IMAGE_STATUSES = ["started", "completed", "failed"] as const;

/** Text compared with something else than a column. */
const textValue = textKey("status", "").value;

const modelKey: FilterKey = {
  value: textValue,
  description: "model that was tried, whether it succeeded or not",
  where: (values) => sql`models_tried && ${values.map(String)}::text[]`,
};

const imageKey: FilterKey = {
  value: textValue,
  description: "the image itself, by its id",
  where: (values) => sql`id::text = ANY(${values.map(String)}::text[])`,
};

const errorKey: FilterKey = {
  value: textValue,
  description: "words of the error",
  where: (values) => or(values.map((value) => sql`error_message ILIKE ${`%${String(value).replace(/[\\%_]/g, "\\$&")}%`}`)),
};

const attemptsKey: FilterKey = {
  ...countKey("attempts", "number of attempts"),
  where: (values) =>
    or(
      values.map(String).map((value) => {
        const count = Number.parseInt(value, 10);
        const attempts = sql`jsonb_array_length(coalesce(image_generation_attempts, '[]'))`;
        return value.endsWith("+") ? sql`${attempts} >= ${count}` : sql`${attempts} = ${count}`;
      }),
    ),
};

/** Requests for images: one row each of image_traces. */
export const IMAGES: Noun = {
  name: "images",
  from: sql`image_traces`,
  time: sql`created_at`,
  identity: [sql`id::text`],
  keys: {
    status: choiceKey("status", IMAGE_STATUSES, "state of the request"),
    env: textKey("environment", "deployment environment"),
    project: projectKey,
    model: modelKey,
    used: textKey("model_used", "model whose picture was taken"),
    lesson: textKey("entity_id", "id of the lesson, or of whatever the image is for"),
    entity: entityKey("entity_type", "entity_id"),
    run: textKey("run_id", "batch run"),
    image: imageKey,
    error: errorKey,
    attempts: attemptsKey,
    min_ms: minimumKey("total_duration_ms", "took at least this many milliseconds"),
    max_ms: maximumKey("total_duration_ms", "took at most this many milliseconds"),
  },
  sorts: { duration: { expression: sql`total_duration_ms`, type: "float8" } },
  words: [sql`request_data::text`, sql`error_message`],
};
