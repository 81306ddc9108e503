/**
 * What every session of the program sets for itself: PostgreSQL writes times, bounds of partitions among them, as the database or its user likes them, and
 * they are read by machines here. Both are settings that poolers pass on.
 */
export const SESSION = { DateStyle: "ISO, MDY", TimeZone: "UTC" } as const;
