import { z } from "@hono/zod-openapi";
import { IMAGE_STATUSES } from "../query/images/noun.ts";
import { exactNumber, time } from "./schemas.ts";

/** Shapes of answers about images. */

const text = z.string().nullable();
const float = z.number().nullable();

const common = {
  id: z.guid(),
  lesson_id: text,
  status: z.enum(IMAGE_STATUSES),
  model_used: text,
  models_tried: z.array(z.string()).nullable(),
  total_duration_ms: float,
  error_message: text,
  created_at: time,
  completed_at: time.nullable(),
  entity_type: text,
  entity_id: text,
  run_id: text,
  environment: text,
  trace_id: text,
  span_id: text,
};

export const ImageSummary = z
  .object({ ...common, attempts: z.number(), failed_attempts: z.number(), prompt_start: text })
  .openapi("ImageSummary");

/** As the first application knows it: what is unknown is left out. */
export const ImageTrace = z
  .object({
    id: z.guid(),
    lesson_id: z.string().optional(),
    status: z.enum(IMAGE_STATUSES),
    model_used: z.string().optional(),
    models_tried: z.array(z.string()).optional(),
    total_duration_ms: z.number().optional(),
    request_data: z.unknown(),
    response_data: z.unknown(),
    image_generation_attempts: z.array(z.unknown()),
    error_message: z.string().optional(),
    created_at: time,
    completed_at: time.optional(),
  })
  .openapi("ImageTrace");

export const ImageDetail = z
  .object({
    ...common,
    request_data: z.unknown(),
    response_data: z.unknown(),
    image_generation_attempts: z.array(z.unknown()),
    outputs: z
      .array(
        z.object({
          span_id: z.string(),
          output_number: z.number(),
          media_type: text,
          size_bytes: exactNumber.nullable(),
          sha256: text,
          uri: text,
        }),
      )
      .openapi({ description: "pictures of the calls that made it, never their bytes" }),
  })
  .openapi("Image");

const dayFigures = { attempts: exactNumber, median_duration_ms: float };

export const ImageStats = z
  .object({
    traces: exactNumber,
    started: exactNumber,
    completed: exactNumber,
    failed: exactNumber,
    success_rate: float.openapi({ description: "of the requests that ended" }),
    attempts: exactNumber,
    median_duration_ms: float,
    avg_duration_ms: float,
    models: z.array(
      z.object({
        rank: z.number().openapi({ description: "1 is to be tried first" }),
        model: z.string(),
        attempts: exactNumber,
        succeeded: exactNumber,
        failed: exactNumber,
        success_rate: z.number(),
        avg_duration_ms: float,
        median_duration_ms: float,
        p95_duration_ms: float,
        used: exactNumber,
        share_of_results: float,
        last_error: text,
        expected_ms: float,
        few: z.boolean(),
      }),
    ),
    suggested_order: z.array(z.string()),
    order_rule: z.string(),
    days: z.array(z.object({ day: z.string(), traces: exactNumber, completed: exactNumber, failed: exactNumber, ...dayFigures })),
    model_days: z.array(z.object({ day: z.string(), model: z.string(), succeeded: exactNumber, success_rate: z.number(), ...dayFigures })),
  })
  .openapi("ImageStats");
