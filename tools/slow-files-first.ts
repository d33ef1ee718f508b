// The order in which test files begin: those that take minutes first, so that the others fill the time beside them.
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Slowest first. */
const slow = [
  "acceptance/acceptance.test.ts",
  "acceptance/notebooks.test.ts",
  "src/every-operation.test.ts",
  "acceptance/kill/kill.test.ts",
];

const rankOf = ({ moduleId }: TestSpecification): number => {
  const rank = slow.findIndex((file) => moduleId.endsWith(file));
  return rank === -1 ? slow.length : rank;
};

export default class SlowFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => rankOf(a) - rankOf(b));
  }
}
