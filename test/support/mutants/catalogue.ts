import { GATE_MUTANTS } from "./gate.ts";
import type { Mutant } from "./mutant.ts";
import { OPERATION_MUTANTS } from "./operation.ts";
import { READING_MUTANTS } from "./reading.ts";
import { WRITING_MUTANTS } from "./writing.ts";

/** Every rule that `npm run test:mutants` switches off. */
export const MUTANTS: readonly Mutant[] = [...READING_MUTANTS, ...GATE_MUTANTS, ...WRITING_MUTANTS, ...OPERATION_MUTANTS];
