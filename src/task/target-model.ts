// Between the router and the agent of a multi-model container, which takes the container's invocations.

/** The model's path below the prefix, percent-encoded. */
export const targetModelHeader = "x-salvia-target-model";

/** In an answer that is the agent's own, and not the container's. Its body is the text for the caller. */
export const modelProblemHeader = "x-salvia-model-problem";

/** no-model: it cannot be fetched or unpacked; not-ready: it is being loaded still. */
export type ModelProblem = "no-model" | "not-ready";
