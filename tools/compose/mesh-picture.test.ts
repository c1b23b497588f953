import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository } from '../mesh/home.ts';
import { networksOf, readComposeFile } from './compose-file.ts';
import { layoutOf, type Area, type Box } from './mesh-layout.ts';
import { drawMesh } from './mesh-picture.ts';

const file = await readComposeFile(repository);
const contains = (area: Area, { x, y, width, height }: Box) =>
  area.x < x && area.y < y && area.x + area.width > x + width && area.y + area.height > y + height;
const touches = (a: Area | Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

describe('docs/mesh.svg', () => {
  it('when compose.yaml changes, it is drawn anew (make compose-picture)', async () => {
    expect(await readFile(join(repository, 'docs', 'mesh.svg'), 'utf8')).toBe(drawMesh(file));
  });
});

describe('layoutOf', () => {
  const more = structuredClone(file);
  const tools = {
    pgadmin: ['database', 'monitoring'],
    commander: ['backend', 'monitoring'],
    portainer: ['monitoring'],
  };
  for (const [name, networks] of Object.entries(tools)) {
    const zipkin = more.services['zipkin'];
    if (zipkin) more.services[`more-${name}`] = { ...zipkin, networks };
  }
  const cases = [
    { whose: 'as it is', composed: file },
    { whose: 'with more tools', composed: more },
  ];

  it.each(cases)('when a container is on a network, it lies in it, and in no other: $whose', ({ composed }) => {
    const { boxes, areas } = layoutOf(composed);
    for (const box of boxes) {
      const around = areas.filter((area) => contains(area, box)).map(({ network }) => network);
      expect([box.name, [...new Set(around)].sort()]).toEqual([box.name, networksOf(box.container).toSorted()]);
      expect([box.name, areas.filter((area) => touches(area, box) && !contains(area, box))]).toEqual([box.name, []]);
    }
  });

  it.each(cases)('when it is done, all are there, none on another or outside: $whose', ({ composed }) => {
    const { boxes, width, height } = layoutOf(composed);
    const containers = boxes.reduce((sum, { inside }) => sum + 1 + inside.length, 0);
    expect(containers).toBe(Object.keys(composed.services).length);
    for (const [index, box] of boxes.entries()) {
      expect(boxes.slice(index + 1).filter((other) => touches(other, box))).toEqual([]);
      expect(box.x > 0 && box.x + box.width < width && box.y > 0 && box.y + box.height < height).toBe(true);
    }
  });

  it('when a container is on networks that no row is for, it is said', () => {
    const changed = structuredClone(file);
    Object.assign(changed.services['redis'] ?? {}, { networks: ['frontend', 'elsewhere'] });
    expect(() => layoutOf(changed)).toThrow('redis: elsewhere frontend');
  });
});
