// Writes docs/frameworks.md from the table of framework images; with --check it only says whether the page is as the table.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Framework } from "../src/compute/frameworks/framework.ts";
import { frameworks } from "../src/compute/frameworks/frameworks.ts";

const path = join(import.meta.dirname, "..", "docs", "frameworks.md");

const rowsOf = ({ images, releases }: Framework): string[] =>
  releases.map(({ version, pythons: [from, to], packages }, at) => {
    const names = at === 0 ? images.map((image) => `\`${image}\``).join(", ") : "";
    return `| ${names} | ${version} | ${from} to ${to} | ${packages.map((name) => name.replace("==", " ")).join(", ")} |`;
  });

const page = `# Framework images

<!-- Written by tools/frameworks-page.ts from src/compute/frameworks/frameworks.ts: change that table. -->

An image with one of these repository names, whatever its account, region and tag, needs no container: Salvia makes a Python
environment with the packages of its release once per machine (with uv, where it is installed in a system folder; otherwise with venv and
pip), tells the progress in the first job's log, and uses it for every later job and endpoint.

| Image | Release | Pythons | Packages |
|---|---|---|---|
${frameworks.flatMap(rowsOf).join("\n")}

The release is the one nearest to the image's tag that installs on one of the system's Pythons; of two equally near, the newer. Hugging
Face's tags name two versions (\`1.13.1-transformers4.26.0-cpu-py39\`): nearest is the release with the fewest minor versions of PyTorch
and transformers in between. The job's first log line says what was asked for and what is used.

Where pip finds no packages of a release for the Python here, or cannot build them, the release is tried on the next Python, and then
the next nearest release; the job's log says which one did not install and why. That is remembered for a day, as long as the
Python and the settings of pip and uv (\`PIP_*\`, \`UV_*\`) are the same, so that the next job does not try in vain. What the network, the index or the
disk is to blame for is no reason for another release: pip tries connections again, and then the job fails with what it met.

\`salvia serve --framework-strict\` (\`SALVIA_FRAMEWORK_STRICT=1\`) fails the job instead of using another version than the tag's, to the
minor, of transformers, too: there is none in the table, or it does not install.
${frameworks
  .filter(({ note }) => note !== undefined)
  .map(({ title, note }) => `\n${title}: ${note}.`)
  .join("\n")}

Where the system's python3 has PyTorch in the release's version already (Debian's and Ubuntu's \`python3-torch\`), that is used and
nothing large is downloaded. pip's and uv's own settings of the user who runs Salvia (\`PIP_INDEX_URL\`, \`PIP_EXTRA_INDEX_URL\`,
\`UV_DEFAULT_INDEX\`, pip.conf) name other indexes.

This is so on a machine with a Docker Engine, too (\`--compute docker\`): SageMaker's own images need an account of AWS to be pulled. One that is in
the engine already, under the name that the job gives it, is run as the container that it is: \`docker pull\` it with an account of AWS, once.
An image of such a name that somebody has pushed to Salvia's registry runs as a container instead, with its own
contents; a container of another base is asked for under a name of its own.

SageMaker's other images (Text Generation Inference, Neuron, Training Compiler, DJL, MXNet and so on) have no environment: without a Docker Engine
they are refused with what to use instead (\`src/compute/frameworks/other-images.ts\`).

## Training scripts

Script mode works as in SageMaker's containers: hyperparameters \`sagemaker_program\` and \`sagemaker_submit_directory\` (the SDK's
\`entry_point\` and \`source_dir\`), \`requirements.txt\`, a \`setup.py\` as a package, anything but a \`.py\` by the shell, hyperparameters as
sorted arguments, the \`SM_*\` variables, \`/opt/ml\`. Several instances find each other by name; with
\`distribution={"torch_distributed": {"enabled": True}}\` each starts \`torch.distributed.run\`, meeting at the first (Gloo without GPUs),
with as many processes as \`sagemaker_mpi_num_of_processes_per_host\` says, else one per GPU that the script can use (\`SM_NUM_GPUS\`), else one.
It runs Python scripts alone, as on AWS. MPI, SageMaker's distributed libraries and
TensorFlow's parameter servers are refused by name. What a script raises is the job's FailureReason. A job with a ContainerEntrypoint
(ModelTrainer of the SDK 3) runs that command in the same environment.

With EnableNetworkIsolation the script has no way to S3: the agent brings \`sagemaker_submit_directory\`, as the job's role. pip has no
index then (\`PIP_NO_INDEX\`): \`requirements.txt\` may name files that come with the code (\`./name-1.0-py3-none-any.whl\`), and fails in words otherwise.
The environment itself is the machine's, and is made all the same.

Metrics: framework images have no metric definitions of their own, here as on AWS: a script's metrics are those of the job's
\`MetricDefinitions\`. XGBoost's image is the exception, being a built-in algorithm: its evaluation lines (\`validation:rmse\` and so on) count
without being asked for, in its script mode, too.

\`sagemaker-xgboost\` (and \`xgboost\`) without a script is the built-in algorithm: channels \`train\` and \`validation\` as libsvm, CSV,
RecordIO-protobuf or a pipe of CSV, SageMaker's hyperparameters (checked by name and range), early stopping, checkpoints, the metrics
of scikit-learn that SageMaker adds (\`accuracy\`, \`f1\`, \`mse\` and so on), and \`xgboost-model\` as the result. Several
instances train one model together (from XGBoost 1.7 on). No cross validation (\`_kfold\`), no Parquet.

## Models

\`model_fn\`, \`input_fn\`, \`predict_fn\`, \`output_fn\` or \`transform_fn\`, from \`SAGEMAKER_PROGRAM\` (default \`inference.py\`) in the model's
\`code/\` folder or in \`SAGEMAKER_SUBMIT_DIRECTORY\`. Without input_fn and output_fn: CSV, JSON, JSON lines, NPY and NPZ. The server is
gunicorn, with \`SAGEMAKER_MODEL_SERVER_WORKERS\` processes (default: one per core, at most four) that each hold the model and ask it
one request at a time; a request that takes longer than \`SAGEMAKER_MODEL_SERVER_TIMEOUT\` (60 s) ends its worker. An error of the
script is a 500 with its traceback. A model of XGBoost's algorithm mode, also a pickled one of an older image, needs no script: CSV,
libsvm and RecordIO-protobuf in; CSV, JSON, JSON lines and RecordIO-protobuf out; \`SAGEMAKER_INFERENCE_OUTPUT\` selects what.

TensorFlow's images speak TensorFlow Serving's REST API: a SavedModel (\`<version>/saved_model.pb\`, the newest version of each model) answers
\`{"instances": …}\` and \`{"inputs": …}\` of JSON, and CSV and JSON lines made into rows; \`tfs-model-name\` in the custom attributes
chooses one of several. An \`inference.py\` has \`input_handler\` and \`output_handler\`, or \`handler\`, which may ask
\`context.rest_uri\` itself; one with a \`model_fn\` is served as above. TensorFlow itself runs the model, in one process: no gRPC, no
classify and regress, no batching configuration.

Hugging Face's images need no script either: the model's folder becomes a Transformers pipeline for \`HF_TASK\`, or for what its
architecture is for; \`HF_MODEL_ID\` is fetched from the hub where the archive has no model and the hub can be reached. JSON has
\`inputs\` and perhaps \`parameters\`, CSV a header; pictures and sound need an \`input_fn\`.
`;

if (!process.argv.includes("--check")) writeFileSync(path, page);
else if (readFileSync(path, "utf8") !== page) {
  process.stderr.write("docs/frameworks.md is not as its table: run node tools/frameworks-page.ts\n");
  process.exitCode = 1;
}
