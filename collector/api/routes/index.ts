import type { RouteModule } from "../route.ts";
import { exportRoutes } from "./export.ts";
import { generationRunRoutes } from "./generation-runs.ts";
import { generationRoutes } from "./generations.ts";
import { importRoutes } from "./import.ts";
import { reviewRoutes } from "./review.ts";
import { runFigureRoutes } from "./run-figures.ts";
import { runRoutes } from "./runs.ts";
import { usageRoutes } from "./usage.ts";

/** Every file of routes, one per noun. */
export const ROUTES: readonly RouteModule[] = [
  generationRoutes,
  reviewRoutes,
  exportRoutes,
  importRoutes,
  generationRunRoutes,
  runFigureRoutes,
  runRoutes,
  usageRoutes,
];
