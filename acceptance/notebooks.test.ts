// The example that brings its own container, executed as a newcomer would: minutes of building, in a file of its own beside the others.
import { expect, test } from "vitest";
import { accept } from "./run.ts";

test(
  "the notebook of the forecasting container builds, pushes, trains, deploys and forecasts",
  { timeout: 900_000 },
  async (context) => {
    const counts = await accept("gluonts");
    if (typeof counts === "string") {
      context.skip(counts);
      return;
    }
    expect(counts).toMatchObject({ failed: 0, skipped: 0 });
    expect(counts.passed).toBeGreaterThan(0);
  },
);
