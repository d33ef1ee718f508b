// Why a program could not be brought or started, in SageMaker's words and the engine's. Training: sagemaker-python-sdk issue 57 and the
// developer guide's troubleshooting pages; processing: amazon-sagemaker-examples issue 2333; hosting: sagemaker-python-sdk issue 1835 and
// comfyui-on-amazon-sagemaker issue 2. A transform job runs a model's container, without a variant.
import type { Program, TaskSpec } from "../../task/task.ts";

type Task = Pick<TaskSpec, "purpose" | "program" | "variant">;

const imageOf = ({ program }: Pick<Task, "program">): string => (program.kind === "image" ? program.image : "<image>");

/** Without its kind: for jobs that is ClientError, endpoints have none. */
export function cannotPull(task: Task, detail: string): string {
  const image = imageOf(task);
  const which = task.variant === undefined ? "" : ` for the production variant ${task.variant}`;
  switch (task.purpose) {
    case "training":
      return `Cannot pull algorithm container. Either the image does not exist or its permissions are incorrect. (${image}: ${detail})`;
    case "processing":
      return `API error (404): manifest for ${image} not found: manifest unknown: Requested image not found (${detail})`;
    case "hosting":
    case "transform":
      return `Please make sure all images included in the model${which} exist, and that the execution role used to create the model has permissions to access them. (${image}: ${detail})`;
  }
}

/** The same for a program that is missing or cannot be executed. */
export function cannotStart(task: Task, detail: string): string {
  const command = `'docker run ${commandOf(task)}'. ${detail}`;
  const which = task.variant === undefined ? "" : ` for variant ${task.variant}`;
  switch (task.purpose) {
    case "training":
    case "processing":
      return `CannotStartContainerError. Please make sure the container can be run with ${command}`;
    case "hosting":
    case "transform":
      return `CannotStartContainerError. Please ensure the model container${which} starts correctly when invoked with ${command}`;
  }
}

function commandOf(task: Task): string {
  const [entrypoint, args] = commandLine(task.program);
  const chosen = entrypoint === undefined ? [] : ["--entrypoint", entrypoint];
  return [...chosen, imageOf(task), ...args].join(" ");
}

/** The entrypoint where it is not the image's own, and what follows the image's name. */
function commandLine(program: Program): readonly [string | undefined, readonly string[]] {
  switch (program.kind) {
    case "image": {
      const [entrypoint, ...more] = program.entrypoint ?? [];
      return [entrypoint, [...more, ...program.arguments]];
    }
    case "command":
      return [program.argv[0], program.argv.slice(1)];
    case "algorithm":
    case "script":
      return [undefined, [program.command]];
  }
}
