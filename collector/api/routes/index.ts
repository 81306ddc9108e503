import type { RouteModule } from "../route.ts";
import { alertRoutes } from "./alerts.ts";
import { eraseRoutes } from "./erase.ts";
import { exportRoutes } from "./export.ts";
import { generationRunRoutes } from "./generation-runs.ts";
import { generationRoutes } from "./generations.ts";
import { imageRoutes } from "./images.ts";
import { importRoutes } from "./import.ts";
import { itemRoutes } from "./items.ts";
import { keyRoutes } from "./keys.ts";
import { mediaRoutes } from "./media.ts";
import { projectRoutes } from "./projects.ts";
import { promptRoutes } from "./prompts.ts";
import { qualityRuleRoutes } from "./quality-rules.ts";
import { reviewRoutes } from "./review.ts";
import { runFigureRoutes } from "./run-figures.ts";
import { runRoutes } from "./runs.ts";
import { streamRoutes } from "./stream.ts";
import { traceImageRoutes } from "./trace-image.ts";
import { traceRoutes } from "./traces.ts";
import { usageRoutes } from "./usage.ts";

/** Every file of routes, one per noun. */
export const ROUTES: readonly RouteModule[] = [
  generationRoutes,
  reviewRoutes,
  usageRoutes,
  traceRoutes,
  promptRoutes,
  exportRoutes,
  eraseRoutes,
  alertRoutes,
  streamRoutes,
  keyRoutes,
  projectRoutes,
  importRoutes,
  generationRunRoutes,
  runFigureRoutes,
  runRoutes,
  itemRoutes,
  qualityRuleRoutes,
  imageRoutes,
  mediaRoutes,
  traceImageRoutes,
];
