// One seed for all property tests, so that a run says the same on every machine. Hunt for more with another:
// `SALVIA_PROPERTY_SEED=random SALVIA_PROPERTY_RUNS=2000 npx vitest run src/protocols`; a failure prints its seed.
import * as fc from "fast-check";

const { SALVIA_PROPERTY_SEED: seed = "20261123", SALVIA_PROPERTY_RUNS: runs } = process.env;

fc.configureGlobal({
  ...fc.readConfigureGlobal(),
  ...(seed === "random" ? {} : { seed: Number(seed) }),
  ...(runs === undefined ? {} : { numRuns: Number(runs) }),
});
