// CreateTransformJob's members as the work of an agent, with AWS's defaults.
import type { TransformWork } from "../../../task/transform-work.ts";
import type { TransformJobSpec } from "./transform-job.resource.ts";

/** AWS: 600 s and no retries unless ModelClientConfig says otherwise. */
const timeoutSeconds = 600;

const whole = { InputFilter: "$", OutputFilter: "$", JoinSource: "None" } as const;

export function transformWorkOf(spec: Omit<TransformJobSpec, "model">): TransformWork {
  const { TransformInput: input, TransformOutput: output, ModelClientConfig: client } = spec;
  const { InputFilter, OutputFilter, JoinSource } = { ...whole, ...spec.DataProcessing };
  return {
    contentType: input.ContentType,
    accept: output.Accept,
    splitType: input.SplitType ?? "None",
    assembleWith: output.AssembleWith ?? "None",
    strategy: spec.BatchStrategy,
    // 0 leaves it to the container.
    maxConcurrent: spec.MaxConcurrentTransforms || undefined,
    maxPayloadMegabytes: spec.MaxPayloadInMB,
    timeoutSeconds: client?.InvocationsTimeoutInSeconds ?? timeoutSeconds,
    maxRetries: client?.InvocationsMaxRetries ?? 0,
    inputFilter: InputFilter ?? "$",
    outputFilter: OutputFilter ?? "$",
    join: JoinSource ?? "None",
  };
}
