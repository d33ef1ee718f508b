import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { ChannelPlan, PlannedObject } from "./channel-plan.ts";
import { planLines, planOfLines, type PlanLine } from "./plan-lines.ts";

const object = fc.record<PlannedObject>({
  path: fc.string({ minLength: 1 }),
  sizeBytes: fc.nat(),
  source: fc.constantFrom({ url: "/x" }, { file: "/y" }, { text: "ä\u2028" }),
  isGzip: fc.boolean(),
});
const plans = fc.record<ChannelPlan>({
  channels: fc.array(
    fc.record({
      name: fc.string({ minLength: 1 }),
      mode: fc.constantFrom("File", "Pipe", "Stream"),
      objects: fc.array(object, { maxLength: 5 }),
    }),
    { maxLength: 4 },
  ),
  modelArchives: fc.array(object, { maxLength: 2 }),
});

async function* sent(lines: Iterable<PlanLine>): AsyncGenerator<PlanLine> {
  for (const line of lines) yield JSON.parse(JSON.stringify(line)) as PlanLine;
}

test("a plan that was sent line by line is the same again", async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      expect(await planOfLines(sent(planLines(plan)))).toEqual(plan);
    }),
  );
});

test("a plan that was cut off anywhere is no plan", async () => {
  await fc.assert(
    fc.asyncProperty(plans, fc.nat(), async (plan, at) => {
      const lines = [...planLines(plan)];
      await expect(planOfLines(sent(lines.slice(0, at % lines.length)))).rejects.toThrow("ended early");
    }),
  );
});
