import type { RouteModule } from "../route.ts";
import { exportRoutes } from "./export.ts";
import { generationRoutes } from "./generations.ts";
import { importRoutes } from "./import.ts";
import { reviewRoutes } from "./review.ts";

/** Every file of routes, one per noun. */
export const ROUTES: readonly RouteModule[] = [generationRoutes, reviewRoutes, exportRoutes, importRoutes];
