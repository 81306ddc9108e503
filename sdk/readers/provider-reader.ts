import type { Reader } from "../generation/types.ts";
import { tellingErrors } from "./answer-error.ts";
import { readingEvents } from "./server-sent-events.ts";

/** What all readers of providers have in common: they tell of answers that are failures, and take streams as objects or as they came over the network. */
export const providerReader = (reader: Reader): Reader => readingEvents(tellingErrors(reader));
