import { durationMillis, integer } from "../scalars.ts";
import { checked, field, type Section, section } from "../shape.ts";

const limiterFields = {
  /** How often memory is looked at. */
  check_interval: field(durationMillis(), 0),
  /** Hard limit of the process's resident memory. */
  limit_mib: field(integer(0), 0),
  /** The same as a share of the machine's (or container's) memory. */
  limit_percentage: field(integer(0, 100), 0),
  /** Below the hard limit by this much begins refusal; 20 % of the limit when left out. */
  spike_limit_mib: field(integer(0), 0),
  spike_limit_percentage: field(integer(0, 100), 0),
};

/** Wording: memorylimiter/config.go of the Collector. */
export const memoryLimiter = checked(section(limiterFields), (read: Section<typeof limiterFields>, say) => {
  if (read.check_interval <= 0) say("'check_interval' must be greater than zero");
  if (read.limit_mib === 0 && read.limit_percentage === 0) say("'limit_mib' or 'limit_percentage' must be greater than zero");
  if (read.limit_mib > 0 && read.spike_limit_mib >= read.limit_mib) say("'spike_limit_mib' must be smaller than 'limit_mib'");
  if (read.limit_percentage > 0 && read.spike_limit_percentage >= read.limit_percentage) {
    say("'spike_limit_percentage' must be smaller than 'limit_percentage'");
  }
});
