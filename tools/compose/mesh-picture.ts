import { escape, line, text } from '../bench/svg.ts';
import type { ComposeFile, ComposeService } from './compose-file.ts';
import { layoutOf, type Area, type Box } from './mesh-layout.ts';

const style = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 } .name { font-weight: 600 } .small { font-size: 11px; fill: #424a53 }
  .network { font-weight: 600 } .area { fill-opacity: .1; stroke-width: 1.5 } .box { fill: #ffffff; stroke: #57606a }
  .inside { fill: #f6f8fa; stroke: #8c959f } .optional { stroke-dasharray: 5 4 } .port { fill: #1f2328 } .small.of-port { fill: #ffffff }
  .way { stroke: #1f2328; stroke-width: 1.5 } .head { fill: #1f2328 }
  .frontend { fill: #1a7f37; stroke: #1a7f37 } .backend { fill: #0969da; stroke: #0969da }
  .database { fill: #9a6700; stroke: #9a6700 } .monitoring { fill: #8250df; stroke: #8250df }
  text.network { stroke: none }`;

const rect = (x: number, y: number, width: number, height: number, kind: string) =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="5" class="${kind}"/>`;

const area = ({ network, internal, x, y, width, height }: Area) => [
  rect(x, y, width, height, `area ${network}`),
  // Behind the left edges of all that may lie over it.
  text(Math.max(x + 10, 56), y + 17, internal ? `${network} (internal)` : network, `network ${network}`),
];

/** Where a port is published on the machine: `8080`, or with the address where people need it. */
const published = ({ ports }: ComposeService) =>
  ports.map((port) => {
    const [, variable, plain] = /(?::-(\d+)\}|:(\d+)):\d+$/.exec(port) ?? [];
    return `:${variable ?? plain ?? port}`;
  });

const memoryOf = ({ mem_limit: memory = '' }: ComposeService) => memory.replace('m', ' MB').replace('g', ' GB');
// Letters that a box has room for.
const widest = 25;

function container({ name, x, y, width, height, container: it, inside, ends }: Box): string[] {
  const [first] = it.profiles;
  const ports = published(it).join('  ');
  const portWidth = ports.length * 6.5 + 10;
  const note = ends ? (first === undefined ? 'runs once' : 'when called') : undefined;
  const image = it.image.length <= widest ? it.image : it.image.slice(it.image.lastIndexOf('/') + 1);
  const words = [image, [memoryOf(it), note].filter(Boolean).join(', ')];
  const parts = [
    rect(x, y, width, height, first === undefined ? 'box' : 'box optional'),
    text(x + 10, y + 19, name, 'name'),
    ...(ports === ''
      ? []
      : [
          rect(x + width - portWidth - 6, y + height - 26, portWidth, 17, 'port'),
          text(x + width - 6 - portWidth / 2, y + height - 14, ports, 'small of-port', 'middle'),
        ]),
  ];
  if (inside.length === 0)
    return [...parts, ...words.map((word, index) => text(x + 10, y + 38 + index * 18, word, 'small'))];
  const [half, gap] = [(width - 26) / 2, 6];
  return [
    ...parts,
    ...inside.flatMap((one, index) => {
      const left = x + 10 + index * (half + gap);
      const what = one.environment['APP_ID'] === undefined ? 'daprd' : 'app';
      return [
        rect(left, y + 28, half, height - 38, 'inside'),
        text(left + half / 2, y + 45, what, 'small', 'middle'),
        text(left + half / 2, y + 60, memoryOf(one), 'small', 'middle'),
      ];
    }),
  ];
}

const arrow = (x: number, from: number, to: number) => [
  line(x, from, x, to - 7, 'way'),
  `<path d="M ${x - 5} ${to - 8} L ${x + 5} ${to - 8} L ${x} ${to} Z" class="head"/>`,
];

/** The mesh in containers as a picture: what is on which network, which pods there are, and what is published. */
export function drawMesh(file: ComposeFile): string {
  const { width, height, boxes, areas } = layoutOf(file);
  const [edge, gateway] = ['edge', 'gateway'].map((name) => boxes.find((one) => one.name === name));
  const middle = (one: Box) => one.x + one.width / 2;
  const ways = [
    ...(edge
      ? [text(middle(edge), 20, 'clients: HTTP and TLS', '', 'middle'), ...arrow(middle(edge), 26, edge.y)]
      : []),
    ...(edge && gateway ? arrow(middle(edge), edge.y + edge.height, gateway.y) : []),
  ];
  const legend = [
    rect(16, height - 52, 34, 16, 'box optional'),
    text(58, height - 39, 'only with a profile', 'small'),
    rect(186, height - 52, 34, 16, 'port'),
    text(228, height - 39, 'port on this machine', 'small'),
    text(
      366,
      height - 39,
      'A box is on the networks that it lies in; a pod is app and sidecar in one network namespace.',
      'small',
    ),
    text(16, height - 15, 'Drawn from compose.yaml: make compose-picture', 'small'),
  ];
  const frame = `xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"`;
  const title = escape('The mesh in containers: its networks, pods and published ports');
  const parts = [
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...areas.flatMap(area),
    ...ways,
    ...boxes.flatMap(container),
    ...legend,
  ];
  return `<svg ${frame}>\n<title>${title}</title>\n<style>${style}\n</style>\n${parts.join('\n')}\n</svg>\n`;
}
