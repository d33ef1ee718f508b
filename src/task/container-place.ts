// Names and labels by which the containers of tasks are found again, by their agents and by the backend.

/** Where the container of a task belongs: decided by the Docker backend before the agent starts. */
export interface ContainerPlace {
  /** Address of the engine, as in DOCKER_HOST. */
  readonly engine: string;
  /** Of the data folder: several Salvias may share an engine. */
  readonly installation: string;
  /** Name of the network. */
  readonly network: string;
  /** The engine machine's own address on it. */
  readonly gateway: string;
  /** Own address; undefined: the engine gives one. */
  readonly address?: string;
  /** Addresses of all instances by name. */
  readonly peers: Readonly<Record<string, string>>;
}

export const installationLabel = "io.salvia.installation";
export const taskLabel = "io.salvia.task";

/** On whatever the engine has of a task. */
export const taskLabels = ({ installation }: ContainerPlace, key: string): Readonly<Record<string, string>> => ({
  [installationLabel]: installation,
  [taskLabel]: key,
});

export const containerName = (key: string): string => `salvia-${key}`;
