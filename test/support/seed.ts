import { randomInt } from "node:crypto";

/** What a gate tries is the same every time, so that a failure belongs to the change it shows up with; long runs look for something new. */
const OF_THE_GATE = 20_261_121;

/** The seed of random tests: FUZZ_SEED repeats a run. */
export const SEED = Number(process.env["FUZZ_SEED"] ?? (process.env["GENSPAN_TEST_LONG"] === "1" ? randomInt(2 ** 31) : OF_THE_GATE));
