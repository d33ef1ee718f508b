/** The code that Node gives a failure of the system, e.g. "ENOENT"; undefined for what has none. */
export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
