import { operation } from "./context.ts";
import { checkNamespace, pointsOf } from "./datum-rules.ts";
import { missingParameter } from "./errors.ts";
import type { PointStore } from "./metric-points.ts";

export const putMetricData = (store: PointStore) =>
  operation("PutMetricData", async (input, ctx) => {
    checkNamespace(input.Namespace);
    const own = (input.MetricData ?? []).map((datum, index) => ({ datum, path: `MetricData.member.${index + 1}` }));
    const ofEntities = (input.EntityMetricData ?? []).flatMap(({ MetricData = [] }, entity) =>
      MetricData.map((datum, index) => ({
        datum,
        path: `EntityMetricData.member.${entity + 1}.MetricData.member.${index + 1}`,
      })),
    );
    const all = [...own, ...ofEntities];
    if (all.length === 0) throw missingParameter("The parameter MetricData is required.");
    const now = ctx.clock.now();
    const series = all.map(({ datum, path }) => pointsOf(datum, path, now));
    await ctx.store.write((tx) => store.put(tx, ctx, input.Namespace, series));
  });
