/** Whether a difference between two groups is more than noise. */
export interface Significance {
  /** `too_few`: one group has fewer than thirty members. `different`: noise alone would give such a difference in fewer than one of twenty cases. */
  readonly verdict: "too_few" | "different" | "noise";
  /** Probability of at least such a difference by chance; null with too few. */
  readonly p: number | null;
}

/** So many of so many. */
export interface Proportion {
  readonly count: number;
  readonly of: number;
}

export interface Sample {
  readonly size: number;
  readonly mean: number | null;
  readonly variance: number | null;
}

/** Below this the normal distribution is no good stand-in. */
const MIN_SAMPLE = 30;
const LEVEL = 0.05;
const TOO_FEW: Significance = { verdict: "too_few", p: null };

const judged = (p: number): Significance => ({ verdict: p < LEVEL ? "different" : "noise", p });

/** Two proportions, such as approval rates: the two-sided z-test with pooled variance. */
export function compareProportions(a: Proportion, b: Proportion): Significance {
  if (a.of < MIN_SAMPLE || b.of < MIN_SAMPLE) return TOO_FEW;
  const pooled = (a.count + b.count) / (a.of + b.of);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / a.of + 1 / b.of));
  return judged(error === 0 ? 1 : twoSided((a.count / a.of - b.count / b.of) / error));
}

/** Two means, such as durations: Welch's test, whose t is normal enough from thirty on. */
export function compareMeans(a: Sample, b: Sample): Significance {
  if (a.size < MIN_SAMPLE || b.size < MIN_SAMPLE || a.mean === null || b.mean === null) return TOO_FEW;
  const error = Math.sqrt((a.variance ?? 0) / a.size + (b.variance ?? 0) / b.size);
  if (error === 0) return judged(a.mean === b.mean ? 1 : 0);
  return judged(twoSided((a.mean - b.mean) / error));
}

/** Probability that a standard normal value lies further from 0 than `z`. */
const twoSided = (z: number): number => erfc(Math.abs(z) / Math.SQRT2);

/** Complementary error function for x ≥ 0; Abramowitz and Stegun 7.1.26, wrong by at most 1.5e-7. */
function erfc(x: number): number {
  const t = 1 / (1 + 0.3275911 * x);
  const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return poly * Math.exp(-x * x);
}
