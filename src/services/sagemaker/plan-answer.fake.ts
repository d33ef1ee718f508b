// A plan as an agent reads it from the server's answer, for tests.
import type { ChannelPlan } from "../../task/channel-plan.ts";
import { planOfLines, type PlanLine } from "../../task/plan-lines.ts";
import type { RouteResponse } from "../service.ts";
import { bodyText } from "./sagemaker.fake.ts";

export async function planAnswer(response: Promise<RouteResponse>): Promise<ChannelPlan> {
  const lines = (await bodyText(await response)).split("\n").slice(0, -1);
  const parsed = async function* (): AsyncGenerator<PlanLine> {
    for (const line of lines) yield JSON.parse(line) as PlanLine;
  };
  return planOfLines(parsed());
}
