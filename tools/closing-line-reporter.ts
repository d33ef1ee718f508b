// Ends a run with the line that CI reads: `N passed, N failed, N skipped`, and names every skipped test with its reason.
import type { Reporter, TestModule } from "vitest/node";
import { mayBeSkipped } from "./expected-skips.ts";

export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    const skipped: string[] = [];
    const refused: string[] = [];
    for (const module of modules) {
      // A file that could not be loaded has no tests, and is a failure all the same.
      if (module.state() === "failed" && [...module.children.allTests()].length === 0) failed++;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed++;
        else if (state === "failed") failed++;
        else {
          const told = `${test.fullName}${noteOf(test.result())}`;
          (mayBeSkipped(told) ? skipped : refused).push(told);
        }
      }
    }
    for (const told of skipped) process.stdout.write(`skipped: ${told}\n`);
    for (const told of refused) process.stdout.write(`failed, for nobody expects it to be skipped: ${told}\n`);
    if (refused.length > 0) process.exitCode = 1;
    process.stdout.write(`${passed} passed, ${failed + refused.length} failed, ${skipped.length} skipped\n`);
  }
}

const noteOf = (result: { readonly note?: string | undefined } | object): string =>
  "note" in result && result.note ? ` (${result.note})` : "";
