import { mountsOf, type ComposeService } from './compose-file.ts';

/** What a container is judged by beside its own lines. */
export interface Circumstances {
  /** Whether it ends by itself. */
  readonly ends: boolean;
  /** How long what runs in an image may take to stop, by the image's name. */
  readonly drainSeconds: Readonly<Record<string, number>>;
}

type Rule = (service: ComposeService, circumstances: Circumstances) => string | false;

// What nobody told us the drain of is given Compose's own default.
const usualSeconds = 10;
const secondsOf = (duration = '') => Number(/^(\d+)s$/.exec(duration)?.[1] ?? 0);
const imageName = (image: string) => image.slice(0, image.lastIndexOf(':'));

const rules: readonly Rule[] = [
  ({ image }) => !/:v?\d+\.\d+(\.\d+)?(-[\w.-]+)?$/.test(image) && `its image ${image} is not pinned to a full version`,
  ({ mem_limit: memory }) => !/^\d+[mg]$/.test(memory ?? '') && 'has no mem_limit',
  // The engine refuses more than the machine has.
  ({ cpus = 0 }) => (cpus <= 0 || cpus > 1) && 'has no limit of cpus, or one that a machine of one core refuses',
  ({ pids_limit: pids = 0 }) => pids <= 0 && 'has no pids_limit',
  ({ user = '' }) =>
    !/^[1-9]\d*:[1-9]\d*$/.test(user) && 'does not run as a user (uid:gid in numbers, neither is root)',
  ({ read_only: readOnly }) => readOnly !== true && 'has a root that can be written to',
  ({ cap_drop: drop }) => drop.join() !== 'ALL' && 'does not drop ALL capabilities',
  ({ cap_add: add }) => add.length > 0 && `adds the capability ${add.join(', ')}`,
  ({ privileged }) => privileged === true && 'is privileged',
  ({ security_opt: options }) => options.join() !== 'no-new-privileges:true' && 'may get new privileges',
  ({ init }) => init !== true && 'has no init',
  ({ logging }) =>
    (logging?.driver !== 'json-file' || !logging.options['max-size'] || !logging.options['max-file']) &&
    'has logs that grow without an end (json-file with max-size and max-file)',
  ({ healthcheck }, { ends }) => ends && healthcheck?.disable !== true && 'ends by itself, and its health is asked for',
  ({ healthcheck }, { ends }) =>
    !ends && (healthcheck?.disable === true || !healthcheck?.test) && 'has no health check',
  ({ restart }, { ends }) =>
    restart !== (ends ? 'no' : 'unless-stopped') && `its restart is not ${ends ? 'no' : 'unless-stopped'}`,
  ({ stop_grace_period: grace, stop_signal: signal, image }, { drainSeconds }) => {
    // Nothing runs in it that could be ended well or badly.
    if (signal === 'SIGKILL') return false;
    const drain = drainSeconds[imageName(image)];
    const enough = drain === undefined ? secondsOf(grace) >= usualSeconds : secondsOf(grace) > drain;
    return !enough && `its stop_grace_period is too short: what runs in it may take ${drain ?? usualSeconds} s`;
  },
  ({ tmpfs }) => {
    const unsized = tmpfs.filter((entry) => !/^\/[\w/.-]+:(.*,)?size=\d+[km]/.test(entry));
    return unsized.length > 0 && `its tmpfs ${unsized.join(', ')} has no size`;
  },
  (service) => {
    const foreign = mountsOf(service).filter(({ bind, source }) => bind && source !== '/var/run/docker.sock');
    const wrong = foreign.filter(({ source, readOnly }) => !readOnly || !/^\.\/containers\/[\w/.-]+$/.test(source));
    return (
      wrong.length > 0 && `mounts ${wrong.map(({ source }) => source).join(', ')}: only read-only files of containers/`
    );
  },
];

/** What a container lacks by itself, wherever it stands: a sentence each. */
export function containerComplaints(name: string, service: ComposeService, circumstances: Circumstances): string[] {
  return rules.flatMap((rule) => {
    const said = rule(service, circumstances);
    return said === false ? [] : [`${name} ${said}`];
  });
}
