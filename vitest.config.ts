import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "tools/**/*.test.ts", "acceptance/**/*.test.ts", "bench/**/*.test.ts"],
    isolate: false,
    setupFiles: ["./tools/property-seed.ts"],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    reporters: ["default", "./tools/closing-line-reporter.ts"],
  },
});
