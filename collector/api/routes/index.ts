import type { RouteModule } from "../route.ts";
import { generationRoutes } from "./generations.ts";

/** Every file of routes, one per noun. */
export const ROUTES: readonly RouteModule[] = [generationRoutes];
